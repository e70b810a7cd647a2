// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the backend's facts say synchronizes_all: it needs synchronize_all() noexcept

#include <zero/engine.hpp>

struct Synchronizing : zero::HostBackend {
  using zero::HostBackend::HostBackend;
  static constexpr zero::BackendFacts facts{.synchronizes_all = true, .allocates_for_collectives = true};
#ifdef ZERO_COMPILES
  void synchronize_all() noexcept {}
#else
  void synchronize_all() {}
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Synchronizing>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
