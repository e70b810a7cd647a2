// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the backend has close_collective_memory(), but its facts do not say

#include <zero/engine.hpp>

struct Backend : zero::HostBackend {
  using zero::HostBackend::HostBackend;
#ifdef ZERO_COMPILES
  static constexpr zero::BackendFacts facts{.allocates_for_collectives = true};
#else
  static constexpr zero::BackendFacts facts{};
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Backend>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
