// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// An engine that is there already, and checkpoints of it.
#include <zero/checkpoint/load.hpp>
#include <zero/checkpoint/lock.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/checkpoint/saver.hpp>
#include <zero/engine.hpp>

void use(zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                      zero::Precision<zero::BF16>>& engine,
         zero::SelfCommunicator& communicator) {
  // block
}
