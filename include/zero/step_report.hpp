// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>
#include <string>

namespace zero {

/// What became of a step.
struct StepReport {
  std::uint64_t step = 0;            ///< updates done, this one included if it was not skipped
  bool skipped = false;              ///< a gradient was not finite: nothing changed but the scaler
  std::uint64_t skipped_steps = 0;   ///< in all
  std::uint64_t skipped_in_row = 0;  ///< up to this one; 0 where it was not skipped
  std::uint64_t zero_norm_steps =
      0;                          ///< in a row, up to this one, whose norm was exactly 0: nothing reaches the engine
  double gradient_norm = 0.0;     ///< of the unscaled averaged gradient; of its finite elements if skipped
  double clip_coefficient = 1.0;  ///< what clipping multiplied the gradient with
  float loss_scale = 1.0F;        ///< the scale that backward used
  bool at_minimum_scale = false;  ///< overflow with the scale at its minimum
  std::string bad_parameter{};    ///< the first registered parameter with a non-finite gradient; empty: none
  std::string bad_engine{};       ///< in a joint step: whose parameter that is
};

}  // namespace zero
