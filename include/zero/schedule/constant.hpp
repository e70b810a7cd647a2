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

/// One learning rate, after linear warm-up: step t of it uses lr (t + 1) / (W + 1).
class Constant {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "constant";

  /// Settings.
  struct Config {
    double lr = 1e-3;                ///< after warm-up
    std::uint64_t warmup_steps = 0;  ///< W; 0: none
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit Constant(Config const& config) : config_(config) {
    detail::ScheduleSettings(name).require_not_negative("lr", config.lr);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step < config_.warmup_steps) return {.lr = detail::linear_warmup(config_.lr, step, config_.warmup_steps)};
    return {.lr = config_.lr};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
