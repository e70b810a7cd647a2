// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator's facts say has_sum_orders: it needs adds_by_rank<T>(SumOrder) const

#include <zero/engine.hpp>

struct Ordering : zero::SelfCommunicator {
#ifndef ZERO_COMPILES
  static constexpr zero::CommunicatorFacts facts{.has_sum_orders = true};
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Ordering>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
