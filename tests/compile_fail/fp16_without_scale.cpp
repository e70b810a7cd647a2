// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Precision: FP16 gradients underflow without a loss scale: write zero::Precision<zero::FP16,
// expected-error: zero::DynamicScale>

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP16, zero::DynamicScale>>;
#else
using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP16>>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
