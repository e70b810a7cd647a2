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

/// DeepSpeed's WarmupDecayLR: WarmupLR, then linearly down to `min_lr`, which it keeps from one step after
/// `total_steps` on. With fewer `total_steps` than `warmup_steps` it falls to `min_lr` at the end of warm-up.
class WarmupDecayLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "WarmupDecayLR";

  /// Settings; DeepSpeed's names are in docs/schedules.md.
  struct Config {
    std::uint64_t total_steps = 0;                 ///< T, of the whole run; 1 or more
    double min_lr = 0.0;                           ///< of the first steps, and of the last
    double max_lr = 1e-3;                          ///< at the end of warm-up
    std::uint64_t warmup_steps = 1000;             ///< W; 0 and 1 count as 2
    WarmupShape shape = WarmupShape::logarithmic;  ///< how it rises
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit WarmupDecayLR(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_steps("total_steps", config.total_steps);
    detail::require_warmup(settings, config);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step == 0) return {.lr = config_.min_lr};
    return {.lr =
                (Double(config_.min_lr) + (Double(config_.max_lr) - Double(config_.min_lr)) * share(step - 1)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  [[nodiscard]] Double share(std::uint64_t done) const {
    std::uint64_t const warmup = detail::warmup_steps_of(config_.warmup_steps), total = config_.total_steps;
    if (done < warmup) return detail::warmed_up(config_.shape, done, warmup);
    if (done >= total) return 0.0;
    return detail::number(total - done) / detail::number(total > warmup ? total - warmup : 1);
  }

  Config config_;
};

}  // namespace zero::schedule
