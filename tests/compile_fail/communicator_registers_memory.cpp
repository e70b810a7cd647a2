// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator registers memory, but this backend does not allocate for collectives

#include <zero/engine.hpp>

#include <memory>
#include <span>

struct Registering : zero::SelfCommunicator {
  static constexpr zero::CommunicatorFacts facts{.registers_memory = true};
  int collective_memory() const { return 0; }
  std::shared_ptr<void> register_buffers(std::span<zero::MemoryBlock const> /*blocks*/) { return nullptr; }
};

#ifdef ZERO_COMPILES
struct Backend : zero::HostBackend {
  using zero::HostBackend::HostBackend;
  static constexpr zero::BackendFacts facts{.allocates_for_collectives = true};
  void allocate_for_collectives_from(int /*memory*/) {}
  std::span<zero::MemoryBlock const> close_collective_memory() { return {}; }
};
#else
using Backend = zero::HostBackend;
#endif

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Backend, Registering>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
