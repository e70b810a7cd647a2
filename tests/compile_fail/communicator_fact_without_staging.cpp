// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator's facts say needs_staging: reduce_scatter_add needs a last argument

#include <zero/engine.hpp>

#include <cstddef>
#include <span>

struct Staged : zero::SelfCommunicator {
  static constexpr zero::CommunicatorFacts facts{.needs_staging = true};
  template <class Sum, class T>
  std::size_t staging_bytes(std::size_t count, zero::SumOrder /*order*/) const {
    return count * sizeof(T);
  }
#ifdef ZERO_COMPILES
  template <class Sum, class T>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream, std::span<std::byte> /*staging*/) {
    zero::SelfCommunicator::reduce_scatter_add(send, into, count, range, purpose, stream);
  }
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Staged>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
