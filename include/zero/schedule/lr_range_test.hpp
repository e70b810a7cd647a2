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

/// DeepSpeed's LRRangeTest: `min_lr` times 1 + `rate` t / `interval`, without an end. One run shows from which learning
/// rate on the loss diverges.
class LRRangeTest {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "LRRangeTest";

  /// Settings; DeepSpeed's names are in docs/schedules.md.
  struct Config {
    double min_lr = 1e-3;           ///< of the first step
    std::uint64_t interval = 2000;  ///< steps in which it rises by `rate` times `min_lr`
    double rate = 1.0;              ///< how much it rises
    bool staircase = false;         ///< it rises at the end of each interval only
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit LRRangeTest(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("min_lr", config.min_lr);
    settings.require_steps("interval", config.interval);
    settings.require_not_negative("rate", config.rate);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    Double const intervals = config_.staircase ? detail::number(step / config_.interval)
                                               : detail::number(step) / detail::number(config_.interval);
    return {.lr = (Double(config_.min_lr) * (Double(1.0) + Double(config_.rate) * intervals)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
