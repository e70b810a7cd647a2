// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/utf8.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace zero::detail {

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
