// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/floating_point_guard.hpp>
#include <zero/schedule/detail/settings.hpp>
#include <zero/schedule/rates.hpp>
#include <zero/schedule/warmup_shape.hpp>

#include <cstdint>
#include <string_view>

namespace zero::schedule {

/// DeepSpeed's WarmupLR: from `min_lr` to `max_lr`, which it keeps. There the first step uses what the constructor has
/// set and the second what the scheduler's first call sets, which is the same: t is the step less 1.
class WarmupLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "WarmupLR";

  /// Settings; DeepSpeed's names are in docs/schedules.md.
  struct Config {
    double min_lr = 0.0;                           ///< of the first steps
    double max_lr = 1e-3;                          ///< after warm-up; DeepSpeed's default is the optimizer's
    std::uint64_t warmup_steps = 1000;             ///< W; 0 and 1 count as 2
    WarmupShape shape = WarmupShape::logarithmic;  ///< how it rises
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit WarmupLR(Config const& config) : config_(config) {
    detail::require_warmup(detail::ScheduleSettings(name), config);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step == 0) return {.lr = config_.min_lr};
    std::uint64_t const done = step - 1, warmup = detail::warmup_steps_of(config_.warmup_steps);
    Double const rise = done < warmup ? detail::warmed_up(config_.shape, done, warmup) : Double(1.0);
    return {.lr = (Double(config_.min_lr) + (Double(config_.max_lr) - Double(config_.min_lr)) * rise).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
