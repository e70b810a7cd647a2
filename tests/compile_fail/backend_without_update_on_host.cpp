// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// expected-error: zero::Engine: offload needs update_on_host(...) and cast_on_host(...) of the backend

#include <zero/engine.hpp>

struct OnDevice : zero::HostBackend {
  using zero::HostBackend::HostBackend;
  void update_on_host() = delete;  // hides that of HostBackend
};

#ifdef ZERO_COMPILES
using Offload = zero::NoOffload;
#else
using Offload = zero::CpuOffload;
#endif

using Trainer = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW, Offload>,
                             zero::Precision<zero::FP32>, OnDevice>;

[[maybe_unused]] constexpr auto stage = Trainer::stage;
