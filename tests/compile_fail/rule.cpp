// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Optimizer: a rule needs state_count, Config with lr, Constants, constants() and update(); see
// expected-error: examples/custom_rule

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::NoOffload>,
                             zero::Precision<zero::FP32>>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
