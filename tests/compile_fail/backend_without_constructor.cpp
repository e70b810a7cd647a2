// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the fourth argument must be a backend, e.g. zero::HostBackend

#include <zero/engine.hpp>

struct Backend : zero::HostBackend {
#ifdef ZERO_COMPILES
  using zero::HostBackend::HostBackend;
#else
  Backend() : zero::HostBackend({}, 1) {}
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Backend>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
