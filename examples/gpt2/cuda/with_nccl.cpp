// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../run.hpp"
#include "nccl_target.hpp"
#include "processes.hpp"

#include <nccl.h>

#include <string>

namespace gpt2 {

bool has_nccl() { return true; }

std::string nccl_version() {
  int version = 0;
  if (ncclGetVersion(&version) != ncclSuccess) return "unknown";
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

bool run_over_nccl(Options const& options, TrainingData const& data, RunOutput& output) {
  return run_on<NcclTarget>(options, data, output);
}

}  // namespace gpt2
