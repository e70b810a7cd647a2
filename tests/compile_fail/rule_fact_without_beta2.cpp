// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the rule's facts say sets_beta2: it needs set_beta2(config, beta2)

#include <zero/engine.hpp>

struct Rule : zero::Sgd {
  static constexpr zero::RuleFacts facts{.name = "Rule", .validates = true, .sets_momentum = true, .sets_beta2 = true};
#ifdef ZERO_COMPILES
  static void set_beta2(Config& /*config*/, double /*beta2*/) {}
#endif
};

using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<Rule>, zero::Precision<zero::FP32>>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
