// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine/settings.hpp>
#include <zero/engine_config.hpp>
#include <zero/flat_layout.hpp>
#include <zero/offload.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/out_of_line.hpp>

namespace zero::detail {

/// The settings of an engine that say how gradients are collected, reduced and stored.
struct ReduceSettings {
  Reduce order = Reduce::each_micro_batch;
  MicroBatchSequence micro_batches{1, 1, 0};  ///< of a step
  SumOrder sum_order = SumOrder::fastest;     ///< over the ranks
  int ring = 2;                               ///< bucket slots at stages 2 and 3
  MissingGradient missing = MissingGradient::error;
  bool offloaded = false;
  CpuOffload::Config offload{};
};

/// What \p settings, of an engine on \p rank of a world laid out as \p layout, ask for.
ZERO_OUT_OF_LINE inline ReduceSettings reduce_settings(EngineSettings const& settings, FlatLayout const& layout,
                                                       int rank) {
  bool const shards_gradients = layout.settings().stage >= Stage::gradients;
  bool const in_sequence = settings.micro_batches_per_step.has_value();
  return {.order = settings.reduce.value_or(shards_gradients || in_sequence ? Reduce::each_micro_batch
                                                                            : Reduce::once_per_step),
          .micro_batches = micro_batches_of(settings, static_cast<int>(layout.settings().world), rank),
          .sum_order = in_sequence ? SumOrder::by_rank : SumOrder::fastest,
          .ring = settings.gradient_ring.value_or(static_cast<int>(layout.default_gradient_ring())),
          .missing = settings.missing_gradient,
          .offloaded = settings.offloads,
          .offload = settings.offload};
}

}  // namespace zero::detail
