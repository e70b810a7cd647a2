// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"

#include "../run.hpp"
#include "place.hpp"
#include "processes.hpp"

namespace gpt2 {

Processes require_cuda() {
  auto const processes = launched_processes();
  (void)device::gpu_count();
  return processes;
}

std::string describe_cuda() { return device::describe_gpus(); }

bool run_on_cuda(Options const& options, Processes const& processes, Corpus const& corpus, RunLog& log) {
  return processes.world > 1 ? run_over_nccl(options, corpus, log) : run_on<CudaPlace>(options, corpus, log);
}

}  // namespace gpt2
