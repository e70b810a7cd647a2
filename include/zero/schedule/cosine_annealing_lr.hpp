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

/// PyTorch's CosineAnnealingLR: half a cosine from `lr` down to `min_lr` in `half_period` steps, half a cosine up
/// again, and so on. Cosine has warm-up and an end.
class CosineAnnealingLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "CosineAnnealingLR";

  /// Settings.
  struct Config {
    double lr = 1e-3;               ///< of the first step
    double min_lr = 0.0;            ///< after `half_period` steps; `eta_min` there
    std::uint64_t half_period = 0;  ///< steps; 1 or more; `T_max` there
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit CosineAnnealingLR(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("lr", config.lr);
    settings.require_not_negative("min_lr", config.min_lr);
    settings.require_ordered("min_lr", config.min_lr, "lr", config.lr);
    settings.require_steps("half_period", config.half_period);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step / config_.half_period >> 32 != 0) step %= 2 * config_.half_period;  // beyond what `cosine` takes
    Double const one = 1.0, least = config_.min_lr;
    Double const wave =
        one + detail::cosine(Double(detail::pi) * detail::number(step) / detail::number(config_.half_period));
    return {.lr = (least + (Double(config_.lr) - least) * wave / Double(2.0)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
