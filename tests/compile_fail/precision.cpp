// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the third argument must be a precision, e.g. zero::Precision<zero::BF16>

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::BF16>>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>, zero::BF16>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
