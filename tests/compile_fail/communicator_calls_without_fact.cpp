// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the communicator has calls(), but its facts do not say counts_calls

#include <zero/engine.hpp>

struct Counting : zero::SelfCommunicator {
#ifndef ZERO_COMPILES
  std::uint64_t& calls() noexcept { return calls_; }
  std::uint64_t calls_ = 0;
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, zero::HostBackend, Counting>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
