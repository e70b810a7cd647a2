// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine_config.hpp>
#include <zero/offload.hpp>

namespace zero::detail {

/// The settings of an engine that say how gradients are collected, reduced and stored.
struct ReduceSettings {
  Reduce order = Reduce::each_micro_batch;
  int micro_batches = 1;  ///< per step
  int ring = 2;           ///< bucket slots at stages 2 and 3
  MissingGradient missing = MissingGradient::error;
  bool offloaded = false;
  CpuOffload::Config offload{};
};

}  // namespace zero::detail
