// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A trainer's own names, for one process per GPU.
#include <zero/backends/cuda.hpp>
#include <zero/communicators/nccl.hpp>
#include <zero/engine.hpp>

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::BF16>, zero::CudaBackend, zero::NcclCommunicator>;
extern template class zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                                   zero::Precision<zero::BF16>, zero::CudaBackend, zero::NcclCommunicator>;

void train(zero::ParameterList const& parameters, Trainer::Config const& config) {
  // block
}
