// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the rule has validate(config), but its facts do not say validates

#include <zero/engine.hpp>

struct Rule : zero::Sgd {
#ifdef ZERO_COMPILES
  static constexpr zero::RuleFacts facts{.name = "Rule", .validates = true, .sets_momentum = true};
#else
  static constexpr zero::RuleFacts facts{.name = "Rule", .sets_momentum = true};
#endif
};

using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<Rule>, zero::Precision<zero::FP32>>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
