// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <zero/schedule/clock.hpp>
#include <zero/schedule/schedule.hpp>

#include <cstdint>

namespace gpt2 {

/// The learning rate's schedule of a run, and where the run stands in it.
class RunSchedule {
 public:
  /// \p options are borrowed. \throws zero::ConfigurationError for a schedule that the run's steps do not go with.
  explicit RunSchedule(Options const& options)
      : options_(options), schedule_(schedule_of(options)), clock_(options.skipped_step) {
    schedule_.require_steps(options.iterations);
  }

  /// Of the coming step.
  [[nodiscard]] auto rates() const { return schedule_.at(clock_.step()); }
  void after_step(bool skipped) noexcept { clock_.after_step(skipped); }

  /// Which step of the schedule comes next; behind that of the run where skipped steps do not count.
  [[nodiscard]] std::uint64_t step() const noexcept { return clock_.step(); }
  void set_step(std::uint64_t step) noexcept { clock_ = zero::schedule::Clock(options_.skipped_step, step); }
  /// Makes the schedule one that begins behind \p start steps of the run and ends with it. Its next step stays.
  void set_start(std::uint64_t start) {
    if (start == 0 || start >= options_.iterations) return;
    Options of_rest = options_;
    of_rest.iterations -= start;
    schedule_ = schedule_of(of_rest);
    schedule_.require_steps(of_rest.iterations);
  }

 private:
  Options const& options_;
  zero::schedule::Schedule schedule_;
  zero::schedule::Clock clock_;
};

}  // namespace gpt2
