// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator registers memory, but this backend does not allocate for collectives

#include <zero/engine.hpp>

#include <memory>
#include <span>

struct Registering : zero::SelfCommunicator {
  static constexpr zero::CommunicatorFacts facts{.registers_memory = true};
  zero::CollectiveMemory collective_memory() const { return {}; }
  std::shared_ptr<void> register_buffers(std::span<zero::MemoryBlock const> /*blocks*/) { return nullptr; }
};

struct Backend : zero::HostBackend {
  using zero::HostBackend::HostBackend;
#ifndef ZERO_COMPILES
  static constexpr zero::BackendFacts facts{};

 private:
  using zero::HostBackend::close_collective_memory;  // has no such thing
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Backend, Registering>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
