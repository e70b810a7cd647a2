// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/backends/cuda.hpp>
#include <zero/cuda/nvtx.hpp>
#include <zero/profile/profiler.hpp>

void profile() {
  // block
}
