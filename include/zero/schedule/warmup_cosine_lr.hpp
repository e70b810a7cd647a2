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

/// DeepSpeed's WarmupCosineLR: `lr` times a ratio that rises from `warmup_min_ratio` to 1 and then falls as half a
/// cosine to `cosine_min_ratio`, which it keeps. Its first step uses 0, whatever the ratios are.
class WarmupCosineLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "WarmupCosineLR";

  /// Settings; DeepSpeed's names are in docs/schedules.md.
  struct Config {
    double lr = 1e-3;                              ///< what the ratio multiplies; DeepSpeed: the optimizer's
    std::uint64_t total_steps = 0;                 ///< T, of the whole run; 1 or more
    double warmup_min_ratio = 0.0;                 ///< at the start of warm-up
    std::uint64_t warmup_steps = 1000;             ///< W; 0 and 1 count as 2
    double cosine_min_ratio = 1e-4;                ///< from `total_steps` on
    WarmupShape shape = WarmupShape::logarithmic;  ///< how it rises
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit WarmupCosineLR(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("lr", config.lr);
    settings.require_steps("total_steps", config.total_steps);
    settings.require_share("warmup_min_ratio", config.warmup_min_ratio);
    settings.require_share("cosine_min_ratio", config.cosine_min_ratio);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step == 0) return {.lr = 0.0};
    return {.lr = (Double(config_.lr) * ratio(step - 1)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  [[nodiscard]] Double ratio(std::uint64_t done) const {
    std::uint64_t const warmup = detail::warmup_steps_of(config_.warmup_steps), total = config_.total_steps;
    if (done < warmup) {
      Double const least = config_.warmup_min_ratio;
      return least + detail::warmed_up(config_.shape, done, warmup) * (Double(1.0) - least);
    }
    std::uint64_t const after = done - warmup + 1, length = total > warmup ? total - warmup : 1;
    Double const progress = after < length ? detail::number(after) / detail::number(length) : Double(1.0);
    Double const wave = (Double(1.0) + detail::cosine(Double(detail::pi) * progress)) / Double(2.0);
    Double const least = config_.cosine_min_ratio;
    return least + (Double(1.0) - least) * wave;
  }

  Config config_;
};

}  // namespace zero::schedule
