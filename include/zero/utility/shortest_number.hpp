// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <array>
#include <charconv>
#include <string>

namespace zero {

/// \p value with the fewest digits that read back to the same bits; nan, inf and -inf as C and Python read them.
[[nodiscard]] inline std::string shortest_number(double value) {
  if (value != value) return "nan";  // without a sign, which would tell nothing
  std::array<char, 32> digits{};
  auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

}  // namespace zero
