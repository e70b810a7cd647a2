// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The same with optimizer states in host memory.
#include <zero/backends/cuda.hpp>
#include <zero/communicators/nccl.hpp>
#include <zero/engine.hpp>

extern template class zero::Engine<zero::Partitioner<zero::Stage::gradients>,
                                   zero::Optimizer<zero::AdamW, zero::CpuOffload>, zero::Precision<zero::BF16>,
                                   zero::CudaBackend, zero::NcclCommunicator>;

void train(zero::NcclCommunicator& communicator, zero::ParameterList const& parameters) {
  // block
}
