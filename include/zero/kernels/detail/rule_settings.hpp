// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <bit>
#include <cstdint>
#include <cstdio>
#include <stdexcept>

// What the rules check of their settings, in sentences that say what to write. A double is taken by reference and
// judged by its bits: in a build with -ffast-math a comparison holds no NaN back.
namespace zero::detail {

inline bool is_finite(double const& x) {
  constexpr std::uint64_t exponent = std::uint64_t{0x7FF} << 52;
  return (std::bit_cast<std::uint64_t>(x) & exponent) != exponent;
}

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void reject_setting(char const* rule, char const* setting,
                                                                    double const& value, char const* remedy) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  throw std::invalid_argument(concat({"zero::", rule, ": ", setting, " is ", text, ": write ", remedy}));
}

inline void require_not_negative(char const* rule, char const* setting, double const& value) {
  if (!is_finite(value) || value < 0) reject_setting(rule, setting, value, "a finite number that is not negative");
}

inline void require_below_one(char const* rule, char const* setting, double const& value) {
  if (!is_finite(value) || value < 0 || value >= 1) reject_setting(rule, setting, value, "a number in [0, 1)");
}

inline void require_not_above_one(char const* rule, char const* setting, double const& value) {
  if (!is_finite(value) || value < 0 || value > 1) reject_setting(rule, setting, value, "a number in [0, 1]");
}

}  // namespace zero::detail
