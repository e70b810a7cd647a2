// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "run.hpp"

/// Ranks in several processes: with_nccl.cpp, or without_nccl.cpp where there was no NCCL.
namespace images {

[[nodiscard]] bool has_nccl();

/// This process's part of a run of several. As run_on_cuda.
bool run_over_nccl(RunParts const& parts, zero::LaunchEnvironment const& launch);

}  // namespace images
