// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

namespace images {

/// A name as a line for people can show it: control characters, backslashes and bytes that are not UTF-8 as \xNN.
[[nodiscard]] inline std::string shown_name(std::string_view name) {
  std::string shown;
  while (!name.empty()) {
    auto const character = zero::first_utf8(name);
    auto const code = character ? character->code : 0;
    bool const is_plain = code >= 0x20 && (code < 0x7F || code >= 0xA0) && code != U'\\';
    std::size_t const bytes = is_plain ? character->bytes : 1;
    if (is_plain) {
      shown += name.substr(0, bytes);
    } else {
      std::array<char, 5> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(name.front())));
      shown += hex.data();
    }
    name.remove_prefix(bytes);
  }
  return shown;
}

}  // namespace images
