// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: need_staging

#include <zero/engine.hpp>

struct Staged : zero::SelfCommunicator {
#ifdef ZERO_COMPILES
  static constexpr zero::CommunicatorFacts facts{.needs_staging = false};
#else
  static constexpr zero::CommunicatorFacts facts{.need_staging = false};
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Staged>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
