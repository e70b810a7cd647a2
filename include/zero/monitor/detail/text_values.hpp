// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/utf8.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace zero::detail {

/// Appends \p value with the fewest digits that read back to the same bits: nan, inf and -inf as Python and C read
/// them.
inline void append_number(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "nan";  // without a sign, which would tell nothing
    return;
  }
  char text[32];
  auto const result = std::to_chars(text, text + sizeof text, value);
  out.append(text, result.ptr);
}

/// \p text with U+FFFD in place of what is not UTF-8, which readers of protobuf and JSON refuse.
[[nodiscard]] inline std::string as_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    auto const character = first_utf8(text);
    std::size_t const bytes = character ? character->bytes : 1;
    if (character) {
      out.append(text.substr(0, bytes));
    } else {
      append_utf8(out, 0xFFFD);
    }
    text.remove_prefix(bytes);
  }
  return out;
}

}  // namespace zero::detail
