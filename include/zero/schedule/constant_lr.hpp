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

/// PyTorch's ConstantLR: `lr` times `factor`, and `lr` itself from `total_steps` on.
class ConstantLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "ConstantLR";

  /// Settings.
  struct Config {
    double lr = 1e-3;               ///< from `total_steps` on
    double factor = 1.0 / 3;        ///< of the steps before; in [0, 1]
    std::uint64_t total_steps = 5;  ///< `total_iters` there
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit ConstantLR(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("lr", config.lr);
    settings.require_share("factor", config.factor);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    if (step >= config_.total_steps) return {.lr = config_.lr};
    return {.lr = (Double(config_.lr) * Double(config_.factor)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
