// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Precision: sums of gradients overflow in FP16: write zero::BF16 or leave zero::FP32

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP16, zero::DynamicScale, zero::BF16>>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP16, zero::DynamicScale, zero::FP16>>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
