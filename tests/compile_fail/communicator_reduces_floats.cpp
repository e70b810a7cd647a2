// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator lacks reduce_scatter_add(T* send, Sum* into, count, SumRange,
// expected-error: stream) for gradients or for their sums

#include <zero/engine.hpp>

#include <cstddef>

struct OfFloats : zero::SelfCommunicator {
  void reduce_scatter_add(float const* send, float* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream) {
    zero::SelfCommunicator::reduce_scatter_add(send, into, count, range, purpose, stream);
  }
};

#ifdef ZERO_COMPILES
using Compute = zero::FP32;
#else
using Compute = zero::BF16;
#endif

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<Compute>, zero::HostBackend, OfFloats>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
