// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstdint>
#include <cstdio>
#include <string_view>

// What schedules check of their settings. A double is taken by reference, as in kernels/detail/rule_settings.hpp.
namespace zero::detail {

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void reject_rate(std::string_view schedule, std::string_view setting,
                                                                 double const& value, std::string_view remedy) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  fail<ConfigurationError>({"zero::schedule::", schedule, ": ", setting, " is ", text, ": write ", remedy});
}

/// Checks the settings of the schedule of this name. \throws ConfigurationError
class ScheduleSettings {
 public:
  explicit ScheduleSettings(std::string_view schedule) : schedule_(schedule) {}

  void require_not_negative(std::string_view setting, double const& value) const {
    if (!is_finite(value) || value < 0) reject(setting, value, "a finite number that is not negative");
  }
  void require_finite(std::string_view setting, double const& value) const {
    if (!is_finite(value)) reject(setting, value, "a finite number");
  }
  /// In [0, 1].
  void require_share(std::string_view setting, double const& value) const {
    if (!is_finite(value) || value < 0 || value > 1) reject(setting, value, "a number in [0, 1]");
  }
  /// In (0, 1].
  void require_factor(std::string_view setting, double const& value) const {
    if (!is_finite(value) || value <= 0 || value > 1) reject(setting, value, "a number above 0 and not above 1");
  }
  /// In [0, 1).
  void require_below_one(std::string_view setting, double const& value) const {
    if (!is_finite(value) || value < 0 || value >= 1) reject(setting, value, "a number in [0, 1)");
  }
  void require_ordered(std::string_view smaller, double const& low, std::string_view larger, double const& high) const {
    if (low > high) reject(smaller, low, concat({"a number that is not above ", larger}));
  }
  void require_steps(std::string_view setting, std::uint64_t steps) const {
    if (steps == 0) fail<ConfigurationError>({"zero::schedule::", schedule_, ": ", setting, " is 0: write 1 or more"});
  }
  void require_within(std::string_view setting, std::uint64_t steps, std::string_view whole,
                      std::uint64_t total) const {
    if (steps <= total) return;
    fail<ConfigurationError>({"zero::schedule::", schedule_, ": ", setting, " is ", steps, ", more than ", whole, ", ",
                              total, ": write fewer"});
  }

 private:
  [[noreturn]] void reject(std::string_view setting, double const& value, std::string_view remedy) const {
    reject_rate(schedule_, setting, value, remedy);
  }

  std::string_view schedule_;
};

}  // namespace zero::detail
