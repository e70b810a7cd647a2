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

/// How a warm-up-stable-decay schedule falls; d goes from 0 to 1 over the decay.
enum class DecayShape : std::uint8_t {
  linear,          ///< 1 − d
  one_minus_sqrt,  ///< 1 − √d
};

/// Warm-up, stable, decay (Hu et al., "MiniCPM", 2024; shapes of Hägele et al., "Scaling Laws and Compute-Optimal
/// Training Beyond Fixed Training Durations", 2024): linear warm-up, `lr` for as long as one likes, and a short decay
/// to `min_lr`, which it keeps. A run may branch off for its decay at any step. Step t of warm-up uses lr (t + 1) / (W
/// + 1).
class WarmupStableDecay {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "warmup-stable-decay";

  /// Settings.
  struct Config {
    double lr = 1e-3;                       ///< of the stable phase
    double min_lr = 0.0;                    ///< from `total_steps` on
    std::uint64_t warmup_steps = 0;         ///< W; 0: none
    std::uint64_t decay_steps = 0;          ///< the last ones before `total_steps`; 0: none
    std::uint64_t total_steps = 0;          ///< of the whole run; 1 or more
    DecayShape shape = DecayShape::linear;  ///< how it falls
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit WarmupStableDecay(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    detail::require_warmup_and_decay(settings, config);
    settings.require_within("decay_steps", config.decay_steps, "total_steps less warmup_steps",
                            config.total_steps - config.warmup_steps);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step < config_.warmup_steps) return {.lr = detail::linear_warmup(config_.lr, step, config_.warmup_steps)};
    if (step >= config_.total_steps) return {.lr = config_.min_lr};
    std::uint64_t const first = config_.total_steps - config_.decay_steps;
    if (step <= first) return {.lr = config_.lr};
    Double const done = detail::progress(step, first, config_.total_steps), least = config_.min_lr;
    Double const left = Double(1.0) - (config_.shape == DecayShape::linear ? done : sqrt(done));
    return {.lr = (least + (Double(config_.lr) - least) * left).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
