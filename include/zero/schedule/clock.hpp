// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>

namespace zero::schedule {

/// What a step that was skipped for a gradient that is not finite means for the schedule.
enum class SkippedStep : std::uint8_t {
  hold,     ///< the next step uses the same rates again; as DeepSpeed does
  advance,  ///< it counts as any other step; as PyTorch's loops and nanoGPT do
};

/// Counts the steps of a schedule: `schedule.at(clock.step())`, the step, `clock.after_step(report.skipped)`. Its state
/// is one number, `step()`, which a checkpoint holds and the constructor takes.
class Clock {
 public:
  /// The next step is \p step, counted from 0.
  explicit Clock(SkippedStep skipped = SkippedStep::hold, std::uint64_t step = 0) noexcept
      : step_(step), skipped_(skipped) {}

  /// Of the schedule, for the coming step of the optimizer.
  [[nodiscard]] std::uint64_t step() const noexcept { return step_; }
  /// What skipped steps mean.
  [[nodiscard]] SkippedStep skipped_steps() const noexcept { return skipped_; }
  /// The optimizer has stepped, or \p skipped the step.
  void after_step(bool skipped) noexcept {
    if (!skipped || skipped_ == SkippedStep::advance) ++step_;
  }

 private:
  std::uint64_t step_;
  SkippedStep skipped_;
};

}  // namespace zero::schedule
