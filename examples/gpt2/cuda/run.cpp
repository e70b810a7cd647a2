// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "run.hpp"

#include "../run.hpp"
#include "place.hpp"

namespace gpt2 {

void require_cuda() { (void)device::gpu_count(); }

std::string describe_cuda() { return device::describe_gpus(); }

bool run_on_cuda(Options const& options, Corpus const& corpus, RunLog& log) {
  return run_on<CudaPlace>(options, corpus, log);
}

}  // namespace gpt2
