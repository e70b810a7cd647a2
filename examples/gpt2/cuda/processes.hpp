// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "run.hpp"

/// Ranks in several processes: with_nccl.cpp, or without_nccl.cpp where there was no NCCL.
namespace gpt2 {

/// \throws as `require_cuda`.
[[nodiscard]] Processes launched_processes();

/// This process's part of a run of several.
bool run_over_nccl(Options const& options, Corpus const& corpus, RunLog& log);

}  // namespace gpt2
