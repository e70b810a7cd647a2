// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/floating_point_guard.hpp>
#include <zero/schedule/detail/linear_warmup.hpp>
#include <zero/schedule/rates.hpp>

#include <cstdint>
#include <string_view>

namespace zero::schedule {

/// Linear warm-up, then linearly from `lr` down to `min_lr`, which it keeps. Step t of warm-up uses
/// lr (t + 1) / (W + 1).
class Linear {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "linear";

  /// Settings.
  struct Config {
    double lr = 1e-3;                ///< after warm-up
    double min_lr = 0.0;             ///< from `total_steps` on
    std::uint64_t warmup_steps = 0;  ///< W; 0: none
    std::uint64_t total_steps = 0;   ///< of the whole run; 1 or more
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit Linear(Config const& config) : config_(config) {
    detail::require_warmup_and_decay(detail::ScheduleSettings(name), config);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step < config_.warmup_steps) return {.lr = detail::linear_warmup(config_.lr, step, config_.warmup_steps)};
    if (step >= config_.total_steps) return {.lr = config_.min_lr};
    Double const least = config_.min_lr;
    Double const left =
        detail::number(config_.total_steps - step) / detail::number(config_.total_steps - config_.warmup_steps);
    return {.lr = (least + (Double(config_.lr) - least) * left).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
