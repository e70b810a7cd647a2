// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "../cuda_training.hpp"

#include <zero/engine.cuh>

// On a GPU that neither or only one of the libraries was built for, the other one says so.
int CONSUMER_TRAIN() {
  return consumer::report(CONSUMER_NAME, [] {
    using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                                 zero::Precision<zero::BF16>, zero::CudaBackend, zero::SelfCommunicator>;
    zero::SelfCommunicator self;
    return consumer::take_step<Trainer>(self);
  });
}
