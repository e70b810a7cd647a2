// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"

#include "../run.hpp"
#include "processes.hpp"
#include "target.hpp"

#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>

#include <cuda_runtime_api.h>

#include <string>

namespace gpt2 {

// Processes that do not know of each other would each train a model of its own, and write to the same files.
Processes require_cuda() {
  auto const launch = zero::LaunchEnvironment::detect();
  if (launch.world > 1 && !has_nccl()) {
    throw UsageError("--device cuda: " + std::to_string(launch.world) + " processes were started, but this program " +
                     "was built without NCCL: build it where NCCL is, or start one process and use --ranks");
  }
  (void)device::gpu_count();
  return {launch.rank, launch.world};
}

command_line::Accelerators describe_accelerators() {
  int runtime = 0, driver = 0;
  (void)cudaRuntimeGetVersion(&runtime);
  (void)cudaDriverGetVersion(&driver);  // 0 without a driver
  auto const text = [](int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  };
  command_line::Accelerators found{
      .cuda = "runtime " + text(runtime) + ", " + (driver > 0 ? "driver for " + text(driver) : "no driver"),
      .nccl = nccl_version()};
  try {
    found.gpus = device::describe_gpus();
  } catch (zero::Error const&) {  // without a driver or a GPU: the line says so
  }
  return found;
}

Gpus find_gpus() { return {device::gpu_name(), device::gpu_count()}; }

std::string describe_cuda() { return device::describe_gpus(); }

bool run_on_cuda(Options const& options, Processes const& processes, TrainingData const& data, RunOutput& output) {
  return processes.world > 1 ? run_over_nccl(options, data, output) : run_on<CudaTarget>(options, data, output);
}

}  // namespace gpt2
