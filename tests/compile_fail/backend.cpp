// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the fourth argument must be a backend, e.g. zero::HostBackend

#include <zero/engine.hpp>

#ifdef ZERO_COMPILES
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend>;
#else
using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostStream>;
#endif

[[maybe_unused]] constexpr auto stage = Trainer::stage;
