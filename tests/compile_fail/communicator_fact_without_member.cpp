// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator's facts say watches_replays: it needs watch(purpose, stream)

#include <zero/engine.hpp>

struct Watching : zero::SelfCommunicator {
  static constexpr zero::CommunicatorFacts facts{.watches_replays = true};
#ifdef ZERO_COMPILES
  void watch(zero::CollectivePurpose /*purpose*/, zero::HostStream /*stream*/) {}
#else
  void watch(zero::CollectivePurpose /*purpose*/) {}
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Watching>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
