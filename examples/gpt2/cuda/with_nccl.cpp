// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../run.hpp"
#include "nccl_target.hpp"
#include "processes.hpp"

namespace gpt2 {

bool has_nccl() { return true; }

bool run_over_nccl(Options const& options, Corpus const& corpus, RunLog& log) {
  return run_on<NcclTarget>(options, corpus, log);
}

}  // namespace gpt2
