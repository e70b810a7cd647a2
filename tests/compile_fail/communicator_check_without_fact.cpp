// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator has check(), but its facts do not say reports_failures

#include <zero/engine.hpp>

struct Checking : zero::SelfCommunicator {
#ifdef ZERO_COMPILES
  static constexpr zero::CommunicatorFacts facts{.reports_failures = true};
#endif
  void check() const {}
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Checking>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
