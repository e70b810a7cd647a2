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
#include <utility>
#include <vector>

namespace zero::schedule {

/// PyTorch's MultiStepLR: `lr` times `gamma` to the number of milestones that have been reached.
class MultiStepLR {
 public:
  /// As messages and files name it.
  static constexpr std::string_view name = "MultiStepLR";

  /// Settings.
  struct Config {
    double lr = 1e-3;                         ///< before the first milestone
    std::vector<std::uint64_t> milestones{};  ///< steps, in any order; one that stands twice counts twice
    double gamma = 0.1;                       ///< above 0, not above 1
  };

  /// \throws ConfigurationError naming the setting that cannot be.
  explicit MultiStepLR(Config config) : config_(std::move(config)) {
    detail::ScheduleSettings const settings(name);
    settings.require_not_negative("lr", config_.lr);
    settings.require_factor("gamma", config_.gamma);
    if (!config_.milestones.empty()) return;
    detail::fail<ConfigurationError>({"zero::schedule::", name,
                                      ": there are no milestones: give one at least, or use "
                                      "Constant"});
  }

  /// What step \p step uses, counted from 0.
  [[nodiscard]] Rates at(std::uint64_t step) const {
    FloatingPointGuard const guard;
    std::uint64_t reached = 0;
    for (auto milestone : config_.milestones) reached += milestone <= step ? 1 : 0;
    return {.lr = (Double(config_.lr) * detail::power_of(config_.gamma, reached)).value()};
  }
  /// The settings.
  [[nodiscard]] Config const& config() const noexcept { return config_; }

 private:
  Config config_;
};

}  // namespace zero::schedule
