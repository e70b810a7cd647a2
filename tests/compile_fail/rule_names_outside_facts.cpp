// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: a rule's names are facts: write static constexpr zero::RuleFacts facts{.name = ...,

#include <zero/engine.hpp>

#include <array>
#include <string_view>

struct Rule : zero::Sgd {
#ifndef ZERO_COMPILES
  static constexpr std::array<std::string_view, 1> state_names{"buffer"};
#endif
};

using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<Rule>, zero::Precision<zero::FP32>>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
