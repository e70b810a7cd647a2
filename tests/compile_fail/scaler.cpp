// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Precision: a scaler needs Config, a trivially copyable State with scale, initial() and
// expected-error: update(); see examples/custom_scaler

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::BF16, zero::StaticScale>>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::BF16, zero::BF16>>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
