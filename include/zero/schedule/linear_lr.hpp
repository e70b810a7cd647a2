// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/floating_point_guard.hpp>
#include <zero/schedule/detail/elementary.hpp>
#include <zero/schedule/detail/settings.hpp>
#include <zero/schedule/rates.hpp>

#include <cstdint>
#include <string_view>

namespace zero::schedule {

/// PyTorch's LinearLR: `lr` times a factor that goes from `start_factor` to `end_factor`, which it keeps.
class LinearLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "LinearLR";

  /// Settings.
  struct Config {
    double lr = 1e-3;               ///< what the factor multiplies
    double start_factor = 1.0 / 3;  ///< of the first step; above 0, not above 1
    double end_factor = 1.0;        ///< from `total_steps` on; in [0, 1]
    std::uint64_t total_steps = 5;  ///< steps of the way; `total_iters` there
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit LinearLR(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("lr", config.lr);
    settings.require_factor("start_factor", config.start_factor);
    settings.require_share("end_factor", config.end_factor);
    settings.require_steps("total_steps", config.total_steps);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    Double const start = config_.start_factor;
    Double const done = detail::number(step < config_.total_steps ? step : config_.total_steps);
    Double const way = (Double(config_.end_factor) - start) * done / detail::number(config_.total_steps);
    return {.lr = (Double(config_.lr) * (start + way)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
