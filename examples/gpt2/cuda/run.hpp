// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../data/training_data.hpp"
#include "../options.hpp"
#include "support/version_text.hpp"
#include "training/run_output.hpp"

#include <string>

/// The trainer on GPUs, as far as it was built: run.cpp, or without_cuda.cpp where there was no CUDA toolkit.
namespace gpt2 {

/// The processes that a launcher has started to train together, one for each GPU, and which of them this is.
struct Processes {
  int rank = 0, world = 1;
};

/// What torchrun, mpirun or srun has made of this process. \throws UsageError where the program was built without CUDA,
/// or has to work with other processes and was built without NCCL; zero::CudaError without a driver or a GPU;
/// zero::ConfigurationError for an environment that contradicts itself.
[[nodiscard]] Processes require_cuda();

/// For --version. Throws nothing where there is no driver or no GPU: it says so.
[[nodiscard]] command_line::Accelerators describe_accelerators();

/// What this process computes on: the name of its first GPU, and their number. Nothing without CUDA.
struct Gpus {
  std::string name{};
  int count = 0;
};
[[nodiscard]] Gpus find_gpus();

/// What products are made by and on.
[[nodiscard]] std::string describe_cuda();

/// As `run_on`: with several processes, each is one rank, over NCCL; otherwise ranks are threads.
bool run_on_cuda(Options const& options, Processes const& processes, TrainingData const& data, RunOutput& output);

}  // namespace gpt2
