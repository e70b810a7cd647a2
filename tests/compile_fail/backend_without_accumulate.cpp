// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the backend lacks accumulate(Sum* into, Value const* from, n, first, stream)

#include <zero/engine.hpp>

struct Backend : zero::HostBackend {
  using zero::HostBackend::HostBackend;
#ifndef ZERO_COMPILES
  void accumulate() = delete;  // hides that of HostBackend
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Backend>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
