// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: the backend has a Graph, but its facts do not say captures_graphs

#include <zero/engine.hpp>

struct Backend : zero::HostBackend {
  using zero::HostBackend::HostBackend;
#ifndef ZERO_COMPILES
  struct Graph {};
#endif
};

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                             zero::Precision<zero::FP32>, Backend>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
