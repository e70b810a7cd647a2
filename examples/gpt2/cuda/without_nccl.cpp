// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "processes.hpp"

namespace gpt2 {

bool has_nccl() { return false; }

std::string nccl_version() { return {}; }

bool run_over_nccl(Options const&, TrainingData const&, RunOutput&) { return false; }

}  // namespace gpt2
