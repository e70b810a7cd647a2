// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace zero_text {

/// What the patterns of tokenizers tell apart, in bits. None of the first three: punctuation, symbols, marks, ...
enum CharacterClass : std::uint8_t {
  is_letter = 1,
  is_number = 2,
  is_space = 4,
  is_newline = 8,    ///< \r and \n, which are spaces, too
  may_compose = 16,  ///< NFC may change it, or what stands before it
};

/// The classes of all code points: a byte each.
class CharacterClasses {
 public:
  [[nodiscard]] static CharacterClasses const& get();
  [[nodiscard]] std::uint8_t of(char32_t code) const noexcept { return classes_[code]; }

 private:
  CharacterClasses();
  std::vector<std::uint8_t> classes_;
};

/// The small letter of a contraction that \p code is where case does not count, or 0.
[[nodiscard]] char contraction_letter(char32_t code) noexcept;

/// A character at \p at of \p text, which must be UTF-8 and not end there.
struct CodePoint {
  char32_t code;
  std::size_t bytes;
};
[[nodiscard]] inline CodePoint code_point_at(std::string_view text, std::size_t at) noexcept {
  auto const byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[at + i])); };
  char32_t const first = byte(0);
  if (first < 0x80) return {first, 1};
  if (first < 0xE0) return {(first & 0x1FU) << 6U | (byte(1) & 0x3FU), 2};
  if (first < 0xF0) return {(first & 0xFU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU), 3};
  return {(first & 7U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU), 4};
}

/// The first byte of \p text at which no well-formed character begins; its size where there is none.
[[nodiscard]] std::size_t first_malformed(std::string_view text) noexcept;

/// \p text with U+FFFD in place of each longest part that begins a character but is none: Python's
/// decode(errors="replace").
[[nodiscard]] std::string replace_malformed(std::string_view text);

/// The same, but what stands at the end and may yet become a character is left in \p text.
[[nodiscard]] std::string take_complete(std::string& text);

/// Whether \p text, which must be UTF-8, may be changed by NFC.
[[nodiscard]] bool may_need_nfc(std::string_view text) noexcept;

/// \p text, which must be UTF-8, in Unicode's normalization form C.
[[nodiscard]] std::string to_nfc(std::string_view text);

}  // namespace zero_text
