// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/host_kernels.cuh"
#include "fake_cuda/runs.hpp"
#include "fake_cuda/work.cuh"

namespace fake_cuda {

using engine_test::Result;
using engine_test::Run;

/// Ranks as threads that share a device.
struct OverThreads {
  using Communicator = zero::ThreadCommunicator;
  template <class F>
  static void run(int world, F const& f) {
    zero::run_ranks(world, f);
  }
};

template <zero::Stage S, class Offload, class Prec, class Over>
Result train_on(Run const& run) {
  using Communicator = typename Over::Communicator;
  using Engine =
      zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, Prec, zero::CudaBackend, Communicator>;
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  Over::run(run.world, [&](Communicator& communicator) {
    results[static_cast<std::size_t>(communicator.rank())] =
        engine_test::Trainer<Engine, Communicator, OnCudaStreams>(communicator, run).train();
  });
  return engine_test::merged(std::move(results));
}

template <zero::Stage S, class Prec, class Over>
Result train_at(Run const& run) {
  return run.offload ? fake_cuda::train_on<S, zero::CpuOffload, Prec, Over>(run)
                     : fake_cuda::train_on<S, zero::NoOffload, Prec, Over>(run);
}

template <class Prec, class Over = OverThreads>
Result train_with(Run const& run) {
  [[maybe_unused]] static bool const added = [] {
    add_host_kernels<zero::AdamW, typename Prec::scale, typename Prec::compute::type, typename Prec::sum::type>();
    return true;
  }();
  switch (run.stage) {
    case zero::Stage::none:
      return fake_cuda::train_at<zero::Stage::none, Prec, Over>(run);
    case zero::Stage::optimizer_states:
      return fake_cuda::train_at<zero::Stage::optimizer_states, Prec, Over>(run);
    case zero::Stage::gradients:
      return fake_cuda::train_at<zero::Stage::gradients, Prec, Over>(run);
    default:
      return fake_cuda::train_at<zero::Stage::parameters, Prec, Over>(run);
  }
}

}  // namespace fake_cuda
