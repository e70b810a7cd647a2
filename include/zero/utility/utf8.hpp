// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace zero {

/// A code point and the bytes that it takes in UTF-8.
struct Utf8Character {
  char32_t code = 0;      ///< the code point
  std::size_t bytes = 0;  ///< that it took; 0: malformed
};

/// The character at the start of \p text; nothing where there is no well-formed one (The Unicode Standard 15, table
/// 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
[[nodiscard]] inline std::optional<Utf8Character> first_utf8(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  auto const byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  char32_t const first = byte(0);
  if (first < 0x80) return Utf8Character{first, 1};
  std::size_t const bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return std::nullopt;
  char32_t code = first & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return std::nullopt;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  bool const overlong = code < (bytes == 4 ? 0x10000U : bytes == 3 ? 0x800U : 0x80U);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return std::nullopt;
  return Utf8Character{code, bytes};
}

/// Whether all of \p text is well-formed.
[[nodiscard]] inline bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    auto const character = first_utf8(text);
    if (!character) return false;
    text.remove_prefix(character->bytes);
  }
  return true;
}

/// Appends the code point \p code, at most U+10FFFF and no surrogate.
inline void append_utf8(std::string& out, char32_t code) {
  auto const lead = [&](char32_t mark, unsigned shift) { out += static_cast<char>(mark | code >> shift); };
  auto const tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU)); };
  if (code < 0x80) {
    lead(0, 0);
  } else if (code < 0x800) {
    lead(0xC0, 6);
    tail(0);
  } else if (code < 0x10000) {
    lead(0xE0, 12);
    tail(6);
    tail(0);
  } else {
    lead(0xF0, 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace zero
