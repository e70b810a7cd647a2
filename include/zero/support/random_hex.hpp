// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>

namespace zero::detail {

/// So many random hexadecimal digits, in lower case, for names and tokens. They come from the system's source of
/// randomness: processes that start together get different ones.
[[nodiscard]] inline std::string random_hex(std::size_t digits) {
  std::random_device device;
  std::string text;
  for (std::uint32_t word = 0; text.size() < digits; word >>= 4U) {
    if (text.size() % 8 == 0) word = device();
    text += "0123456789abcdef"[word & 15U];
  }
  return text;
}

}  // namespace zero::detail
