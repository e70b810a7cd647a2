// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator's facts say has_stream: it needs communication_stream(device) const

#include <zero/engine.hpp>

struct Streaming : zero::SelfCommunicator {
#ifndef ZERO_COMPILES
  static constexpr zero::CommunicatorFacts facts{.has_stream = true};
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Streaming>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
