// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/usage_error.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace command_line {

/// The bytes that \p text means: a number and a unit, in capital or small letters. As with GNU's coreutils, a letter
/// alone is binary and a letter with B is decimal: 80G and 80GiB are 80 x 2^30 bytes, 80GB are 80 x 10^9. Without a
/// unit the number is bytes. Nothing where it is no size below 2^60.
[[nodiscard]] inline std::optional<std::uint64_t> parse_size(std::string_view text) {
  double number = 0.0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || !(number >= 0.0)) return std::nullopt;
  std::string unit(text.substr(static_cast<std::size_t>(end - text.data())));
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::tolower(c); });
  double factor = 1.0;
  if (!unit.empty() && unit != "b") {
    auto const power = std::string_view("kmgt").find(unit.front()) + 1;  // 0: none of them
    auto const rest = std::string_view(unit).substr(1);
    if (power == 0 || !(rest.empty() || rest == "b" || rest == "ib")) return std::nullopt;
    factor = std::pow(rest == "b" ? 1000.0 : 1024.0, static_cast<double>(power));
  }
  if (!(number * factor < 0x1p60)) return std::nullopt;
  return static_cast<std::uint64_t>(number * factor);
}

/// The size that an option gives. \throws UsageError.
[[nodiscard]] inline std::uint64_t size_of(std::string_view name, std::string_view value) {
  if (auto const bytes = parse_size(value)) return *bytes;
  throw UsageError(std::string(name) + " " + std::string(value) +
                   ": expected bytes below 2^60: 80G and 80GiB are binary (2^30), 80GB is decimal (10^9)");
}

/// Whether \p value, which `parse_size` takes, says no unit.
[[nodiscard]] inline bool has_no_unit(std::string_view value) {
  return value.find_first_not_of("0123456789.eE+") == std::string_view::npos;
}

}  // namespace command_line
