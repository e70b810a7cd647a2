// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator has communication_stream(), but its facts do not say has_stream

#include <zero/engine.hpp>

struct Streaming : zero::SelfCommunicator {
#ifndef ZERO_COMPILES
  zero::HostStream communication_stream(int /*device*/) const { return {}; }
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Streaming>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
