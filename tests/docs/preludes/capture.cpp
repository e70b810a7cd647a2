// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A CUDA engine that has taken one step already.
#include <zero/backends/cuda.hpp>
#include <zero/engine.hpp>

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::BF16>, zero::CudaBackend>;
extern template class zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                                   zero::Precision<zero::BF16>, zero::CudaBackend>;
double schedule(int step);
void micro_batches(Trainer& engine, zero::CudaStream stream);

void train(Trainer& engine, zero::CudaStream stream, int steps) {
  // block
}
