// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the backend has pin(), but its facts do not say pins_memory

#include <zero/engine.hpp>

#include <cstddef>
#include <memory>
#include <span>

struct Pinning : zero::HostBackend {
  using zero::HostBackend::HostBackend;
#ifdef ZERO_COMPILES
  static constexpr zero::BackendFacts facts{.pins_memory = true, .allocates_for_collectives = true};
#endif
  std::shared_ptr<void> pin(std::span<std::byte> /*bytes*/) { return nullptr; }
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Pinning>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
