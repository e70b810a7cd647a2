// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../run.hpp"

#include <zero/bootstrap/launch_environment.hpp>

#include <string>

/// The trainer on GPUs, as far as it was built: run.cpp, or without_cuda.cpp where CUDA, or a torch with CUDA, was
/// missing.
namespace images {

/// What a launcher has made of this process, for --device cuda. \throws UsageError where the program was built without
/// CUDA, or was started as one of several and built without NCCL; zero::CudaError without a driver or a GPU;
/// zero::ConfigurationError for an environment that contradicts itself.
[[nodiscard]] zero::LaunchEnvironment require_cuda();

/// What this process computes on, as a line says it.
[[nodiscard]] std::string describe_device(zero::LaunchEnvironment const& launch);

/// This process's rank of a run: with others over NCCL. As run_on_host.
bool run_on_cuda(RunParts const& parts, zero::LaunchEnvironment const& launch);

}  // namespace images
