// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../cuda_training.hpp"

extern template class zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                                   zero::Precision<zero::BF16>, zero::CudaBackend, zero::SelfCommunicator>;

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::BF16>, zero::CudaBackend, zero::SelfCommunicator>;

int main() {
  return consumer::report("extern", [] {
    zero::SelfCommunicator self;
    return consumer::take_step<Trainer>(self);
  });
}
