// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run.hpp"

#include "learner.hpp"
#include "processes.hpp"
#include "training/run_settings.hpp"

#include <zero/communicators/thread.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

#include <string>

namespace images {

// Processes that do not know of each other would each train a model of its own, and write to the same files.
zero::LaunchEnvironment require_cuda() {
  auto launch = zero::LaunchEnvironment::detect();
  if (launch.world > 1 && !has_nccl()) {
    throw UsageError("--device cuda: " + std::to_string(launch.world) + " processes were started, but this program " +
                     "was built without NCCL: build it where NCCL is, or start one process");
  }
  (void)zero::checked_device(launch.world > 1 ? -1 : 0);  // NCCL's ranks choose by what each process sees
  return launch;
}

std::string describe_device(zero::LaunchEnvironment const& launch) {
  int count = 0;
  zero::check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  int const device = count == 1 ? 0 : launch.local_rank;
  cudaDeviceProp found{};
  zero::check_cuda(cudaGetDeviceProperties(&found, zero::checked_device(device)), "cudaGetDeviceProperties");
  return found.name;
}

bool run_on_cuda(RunParts const& parts, zero::LaunchEnvironment const& launch) {
  if (launch.world > 1) return run_over_nccl(parts, launch);
  bool finished = true;
  zero::run_ranks(1,
                  [&](zero::ThreadCommunicator& alone) {
                    CudaRanks ranks(alone, 0);
                    finished = run_rank(ranks, parts);
                  },
                  {.deadline = training::deadline(parts.options)});
  return finished;
}

}  // namespace images
