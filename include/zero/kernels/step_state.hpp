// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>

namespace zero {

/// What a step needs to know besides its gradients; lives in memory that the device writes, between steps.
template <class Scaler>
struct StepState {
  typename Scaler::State scaler{};    ///< the scaler's own
  float scale = 1.0F;                 ///< the scaler's, for the coming backward passes
  std::uint64_t steps = 0;            ///< updates done: the rule's step count
  std::uint64_t skipped = 0;          ///< steps skipped for a non-finite gradient
  std::uint64_t skipped_in_row = 0;   ///< the last steps, as far as all of them were skipped
  std::uint64_t zero_norm_steps = 0;  ///< the last steps, as far as the norm of all of them was exactly 0
  std::uint32_t mismatched = 0;       ///< 1 + the first rank that did otherwise than rank 0, from then on; 0: none
};

/// Where a run stands: StepState without the scaler's own.
struct RuntimeStepState {
  std::uint64_t steps = 0;            ///< updates done: the rule's step count
  std::uint64_t skipped = 0;          ///< steps skipped for a non-finite gradient
  std::uint64_t skipped_in_row = 0;   ///< the last steps, as far as all of them were skipped
  std::uint64_t zero_norm_steps = 0;  ///< the last steps, as far as the norm of all of them was exactly 0
  float scale = 1.0F;                 ///< of the loss, for the coming backward passes
};

/// A step's outcome as the device writes it.
struct StepOutcome {
  std::uint64_t steps = 0;                   ///< updates done
  std::uint64_t skipped_steps = 0;           ///< steps skipped, in all
  std::uint64_t skipped_in_row = 0;          ///< StepState's
  std::uint64_t zero_norm_steps = 0;         ///< StepState's
  double gradient_norm = 0.0;                ///< of the unscaled averaged gradient
  double clip_coefficient = 1.0;             ///< what clipping multiplied the gradient with
  float loss_scale = 1.0F;                   ///< the scale that backward used
  std::uint32_t bad_parameter = UINT32_MAX;  ///< first parameter with a non-finite gradient, or none
  bool skipped = false;                      ///< nothing changed but the scaler
  bool exhausted = false;                    ///< an overflow at the minimum scale
  std::uint32_t mismatched = 0;              ///< StepState's: nothing changes any more
};

}  // namespace zero
