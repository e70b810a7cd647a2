// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator lacks all_gather(T const* own, T* full, count, purpose, stream)

#include <zero/engine.hpp>

#include <cstddef>

struct OfFloats : zero::SelfCommunicator {
  void all_gather(float const* own, float* full, std::size_t count, zero::CollectivePurpose purpose,
                  zero::HostStream stream) {
    zero::SelfCommunicator::all_gather(own, full, count, purpose, stream);
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
