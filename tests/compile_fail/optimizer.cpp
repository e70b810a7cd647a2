// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the second argument must be an optimizer, e.g. zero::Optimizer<zero::AdamW>

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::AdamW, zero::Precision<zero::FP32>>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
