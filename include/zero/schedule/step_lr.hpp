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

/// PyTorch's StepLR: `lr` times `gamma` to the number of whole intervals so far.
class StepLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "StepLR";

  /// Settings.
  struct Config {
    double lr = 1e-3;            ///< of the first interval
    std::uint64_t interval = 0;  ///< steps; 1 or more
    double gamma = 0.1;          ///< above 0, not above 1
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit StepLR(Config const& config) : config_(config) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("lr", config.lr);
    settings.require_steps("interval", config.interval);
    settings.require_factor("gamma", config.gamma);
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    return {.lr = (Double(config_.lr) * detail::power_of(config_.gamma, step / config_.interval)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
