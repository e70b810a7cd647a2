// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/unicode.hpp"

#include <zero/utility/utf8.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zero_text {

/// The characters that stand for bytes in the files of byte-level BPE: printable ones of Latin-1 for themselves, the
/// others, in ascending order, are U+0100 and so on.
class ByteAlphabet {
 public:
  constexpr ByteAlphabet() {
    char32_t next = 0x100;
    for (char32_t byte = 0; byte < 256; ++byte) {
      bool const prints = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
      character_of_[byte] = prints ? byte : next++;
    }
  }

  [[nodiscard]] constexpr char32_t character_of(std::uint8_t byte) const noexcept { return character_of_[byte]; }

  /// The bytes that \p spelled stands for; nothing where a character of it stands for none. It must be UTF-8.
  [[nodiscard]] std::optional<std::string> bytes_of(std::string_view spelled) const {
    std::string bytes;
    for (std::size_t at = 0; at < spelled.size();) {
      auto const [code, size] = code_point_at(spelled, at);
      at += size;
      std::optional<std::uint8_t> byte;
      if (code < 256 && character_of_[code] == code) byte = static_cast<std::uint8_t>(code);
      for (std::size_t i = 0; code >= 0x100 && code < 0x100 + 68 && !byte; ++i) {
        if (character_of_[i] == code) byte = static_cast<std::uint8_t>(i);
      }
      if (!byte) return std::nullopt;
      bytes += static_cast<char>(*byte);
    }
    return bytes;
  }

  /// How \p bytes are spelled.
  [[nodiscard]] std::string spell(std::string_view bytes) const {
    std::string spelled;
    for (char const byte : bytes) zero::append_utf8(spelled, character_of_[static_cast<unsigned char>(byte)]);
    return spelled;
  }

 private:
  std::array<char32_t, 256> character_of_{};
};

inline constexpr ByteAlphabet byte_alphabet{};

}  // namespace zero_text
