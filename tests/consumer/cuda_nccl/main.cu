// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../cuda_training.hpp"

#include <zero/communicators/nccl.hpp>
#include <zero/engine.cuh>

using Trainer =
    zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                 zero::Precision<zero::FP16, zero::DynamicScale>, zero::CudaBackend, zero::NcclCommunicator>;

int main() {
  return consumer::report("nccl", [] {
    zero::NcclCommunicator communicator(zero::LaunchEnvironment::detect());
    return consumer::take_step<Trainer>(communicator);
  });
}
