// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "target.hpp"

#include <zero/bootstrap/launch_environment.hpp>
#include <zero/communicators/nccl.hpp>

namespace gpt2 {

/// One rank for each process and GPU, as torchrun, mpirun or srun has started them. Gradients are added in the order of
/// the ranks in every precision, so that a run has the bits of one with ranks in threads.
struct NcclTarget {
  using Backend = zero::CudaBackend;
  using Communicator = zero::NcclCommunicator;

  template <class F>
  static void run_ranks(Options const& options, F&& f) {
    Communicator communicator(zero::LaunchEnvironment::detect(), {.reduction = zero::NcclReduction::ordered,
                                                                  .deadline = deadline(options),
                                                                  .meeting_deadline = deadline(options)});
    f(communicator);
  }

  template <class T>
  class Compute : public device::CudaCompute<T> {
   public:
    Compute(Options const& options, ModelShape const& shape, Communicator const& communicator)
        : device::CudaCompute<T>(options, shape, communicator.device()) {}
  };
};

}  // namespace gpt2
