// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../data/training_data.hpp"
#include "../options.hpp"
#include "training/run_output.hpp"

#include <string>

/// Ranks in several processes: with_nccl.cpp, or without_nccl.cpp where there was no NCCL.
namespace gpt2 {

[[nodiscard]] bool has_nccl();

/// The version of NCCL that is linked; empty without NCCL.
[[nodiscard]] std::string nccl_version();

/// This process's part of a run of several. As `run_on`.
bool run_over_nccl(Options const& options, TrainingData const& data, RunOutput& output);

}  // namespace gpt2
