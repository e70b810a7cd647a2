// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator has staging_bytes(), but its facts do not say needs_staging

#include <zero/engine.hpp>

#include <cstddef>
#include <span>

struct Staged : zero::SelfCommunicator {
#ifdef ZERO_COMPILES
  static constexpr zero::CommunicatorFacts facts{.needs_staging = true};
#endif
  template <class Sum, class T>
  std::size_t staging_bytes(std::size_t count, zero::SumOrder /*order*/) const {
    return count * sizeof(T);
  }
  template <class Sum, class T>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream,
                          std::span<std::byte> /*staging*/ = {}) {
    zero::SelfCommunicator::reduce_scatter_add(send, into, count, range, purpose, stream);
  }
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Staged>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
