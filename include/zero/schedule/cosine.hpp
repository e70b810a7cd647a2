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

/// nanoGPT's schedule: linear warm-up, then half a cosine from `lr` down to `min_lr`, which it keeps (Loshchilov and
/// Hutter, "SGDR", 2017, without restarts). Step t of warm-up uses lr (t + 1) / (W + 1).
class Cosine {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "cosine";

  // As in zero/schedule/linear.hpp: each schedule shows its own settings, of which others have more.
  /// Settings.
  struct Config {
    double lr = 1e-3;                ///< after warm-up
    double min_lr = 0.0;             ///< from `total_steps` on
    std::uint64_t warmup_steps = 0;  ///< W; 0: none
    std::uint64_t total_steps = 0;   ///< of the whole run; 1 or more
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit Cosine(Config const& config) : config_(config) {
    detail::require_warmup_and_decay(detail::ScheduleSettings(name), config);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step < config_.warmup_steps) return {.lr = detail::linear_warmup(config_.lr, step, config_.warmup_steps)};
    if (step >= config_.total_steps) return {.lr = config_.min_lr};
    Double const done = detail::progress(step, config_.warmup_steps, config_.total_steps), least = config_.min_lr;
    Double const wave = Double(0.5) * (Double(1.0) + detail::cosine(Double(detail::pi) * done));
    return {.lr = (least + wave * (Double(config_.lr) - least)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
