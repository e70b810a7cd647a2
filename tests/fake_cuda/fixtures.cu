// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/fixtures.hpp"

#include "fake_cuda/host_kernels.cuh"
#include "fake_cuda/small_training.cuh"

#include <utility>
#include <vector>

namespace fake_cuda {
namespace {

// Rank 0's, but the calls of whichever rank came to its end first.
Seen merged(std::vector<Seen> all) {
  for (auto const& other : all) {
    if (other.calls != 0 && (all[0].calls == 0 || other.calls < all[0].calls)) all[0].calls = other.calls;
  }
  return std::move(all[0]);
}

template <zero::Stage S, class Offload>
void train_ranks(Small const& small, Seen& seen) {
  std::vector<Seen> all(static_cast<std::size_t>(small.world));
  try {
    zero::run_ranks(small.world, [&](zero::ThreadCommunicator& communicator) {
      using Communicator = zero::ThreadCommunicator;
      SmallTraining<EngineOf<S, Offload, Communicator>, Communicator>(communicator, small)
          .train(all[static_cast<std::size_t>(communicator.rank())]);
    });
  } catch (...) {
    seen = merged(std::move(all));
    throw;
  }
  seen = merged(std::move(all));
}

template <zero::Stage S>
void train_at(Small const& small, Seen& seen) {
  if (small.world > 1)
    return small.offload ? train_ranks<S, zero::CpuOffload>(small, seen) : train_ranks<S, zero::NoOffload>(small, seen);
  zero::SelfCommunicator self;
  using Communicator = zero::SelfCommunicator;
  if (small.offload) {
    SmallTraining<EngineOf<S, zero::CpuOffload, Communicator>, Communicator>(self, small).train(seen);
  } else {
    SmallTraining<EngineOf<S, zero::NoOffload, Communicator>, Communicator>(self, small).train(seen);
  }
}

__global__ void lonely(int /*argument*/) {}

}  // namespace
}  // namespace fake_cuda

cudaError_t fake_cuda::launch_without_host_kernel(cudaStream_t stream) {
  int argument = 0;
  void* arguments[] = {&argument};
  return cudaLaunchKernel(reinterpret_cast<void const*>(lonely), dim3(1), dim3(1), arguments, 0, stream);
}

void fake_cuda::train_small(Small const& small, Seen& seen) {
  [[maybe_unused]] static bool const added = [] {
    add_host_kernels<zero::AdamW, zero::DynamicScale, zero::float16, float>();
    return true;
  }();
  if (small.stage == zero::Stage::parameters) return train_at<zero::Stage::parameters>(small, seen);
  train_at<zero::Stage::gradients>(small, seen);
}
