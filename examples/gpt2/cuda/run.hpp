// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../options.hpp"
#include "../progress.hpp"
#include "../tokens.hpp"

#include <string>

/// The trainer on GPUs, as far as it was built: run.cpp, or without_cuda.cpp where there was no CUDA toolkit.
namespace gpt2 {

/// \throws UsageError where the program was built without CUDA, zero::CudaError without a driver or a GPU.
void require_cuda();

/// What products are made by and on.
[[nodiscard]] std::string describe_cuda();

/// As `run_on`.
bool run_on_cuda(Options const& options, Corpus const& corpus, RunLog& log);

}  // namespace gpt2
