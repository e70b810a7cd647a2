// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"

namespace gpt2 {

Processes require_cuda() {
  throw UsageError(
      "--device cuda: this program was built without CUDA: install the CUDA toolkit with cuBLAS, and configure with "
      "-DZERO_BUILD_CUDA=ON");
}

command_line::Accelerators describe_accelerators() { return {}; }

Gpus find_gpus() { return {}; }

std::string describe_cuda() { return {}; }

bool run_on_cuda(Options const&, Processes const&, TrainingData const&, RunOutput&) { return false; }

}  // namespace gpt2
