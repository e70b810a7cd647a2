// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace zero::detail {
/// Eight tables for eight bytes at a time: entry [k][b] is the checksum of byte b followed by k zero bytes.
/// Kounavis and Berry, "A Systematic Approach to Building High Performance, Software-based, CRC Generators", 2005.
using Crc32cTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr Crc32cTables make_crc32c_tables() {
  constexpr std::uint32_t polynomial = 0x82F63B78U;  // Castagnoli's, bits reversed
  Crc32cTables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t crc = b;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? polynomial : 0U);
    tables[0][b] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t b = 0; b < 256; ++b) {
      tables[k][b] = (tables[k - 1][b] >> 8) ^ tables[0][tables[k - 1][b] & 0xFFU];
    }
  }
  return tables;
}
inline constexpr Crc32cTables crc32c_tables = make_crc32c_tables();

/// Of a state that is already inverted, as all below.
inline std::uint32_t crc32c_by_table(std::uint32_t crc, std::byte const* data, std::size_t size) noexcept {
  auto const& t = crc32c_tables;
  for (; size >= 8; data += 8, size -= 8) {
    auto const at = [&](int i) { return static_cast<std::uint32_t>(data[i]); };
    auto const low = crc ^ (at(0) | at(1) << 8 | at(2) << 16 | at(3) << 24);
    crc = t[7][low & 0xFFU] ^ t[6][(low >> 8) & 0xFFU] ^ t[5][(low >> 16) & 0xFFU] ^ t[4][low >> 24] ^ t[3][at(4)] ^
          t[2][at(5)] ^ t[1][at(6)] ^ t[0][at(7)];
  }
  for (; size > 0; ++data, --size) crc = (crc >> 8) ^ t[0][(crc ^ static_cast<std::uint32_t>(*data)) & 0xFFU];
  return crc;
}

#if defined(__x86_64__)
/// What a run of zero bytes makes of a state: entry [k][b] for the state whose byte k is b, others 0. Linear, so a
/// state is the sum of its four entries.
using Crc32cShift = std::array<std::array<std::uint32_t, 256>, 4>;

/// For \p zeros bytes, a power of two: the step of one byte, squared again and again, as a matrix over its 32 bits.
inline Crc32cShift make_crc32c_shift(std::size_t zeros) noexcept {
  std::array<std::uint32_t, 32> columns{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t const state = std::uint32_t{1} << bit;
    columns[bit] = (state >> 8U) ^ crc32c_tables[0][state & 0xFFU];
  }
  auto const apply = [&](std::uint32_t state) {
    std::uint32_t sum = 0;
    for (std::size_t bit = 0; bit < 32; ++bit) sum ^= (state >> bit & 1U) != 0 ? columns[bit] : 0U;
    return sum;
  };
  for (; zeros > 1; zeros /= 2) {
    auto squared = columns;
    for (auto& column : squared) column = apply(column);
    columns = squared;
  }
  Crc32cShift shift{};
  for (std::size_t k = 0; k < 4; ++k) {
    for (std::uint32_t b = 0; b < 256; ++b) shift[k][b] = apply(b << (8 * k));
  }
  return shift;
}

/// The instruction takes three cycles and can begin in every one, so three parts of the data are summed side by side,
/// and joined by what the bytes of the later ones, were they zero, would make of the earlier.
__attribute__((target("sse4.2"))) inline std::uint32_t crc32c_by_instruction(std::uint32_t crc, std::byte const* data,
                                                                             std::size_t size) noexcept {
  constexpr std::size_t part = 2048;
  static Crc32cShift const shift = make_crc32c_shift(part);
  auto const shifted = [&](std::uint64_t state) {
    return shift[0][state & 0xFFU] ^ shift[1][(state >> 8U) & 0xFFU] ^ shift[2][(state >> 16U) & 0xFFU] ^
           shift[3][(state >> 24U) & 0xFFU];
  };
  std::uint64_t wide = crc, word[3]{};
  for (; size >= 3 * part; data += 3 * part, size -= 3 * part) {
    std::uint64_t second = 0, third = 0;
    for (std::size_t i = 0; i < part; i += 8) {
      for (std::size_t k = 0; k < 3; ++k) std::memcpy(&word[k], data + k * part + i, 8);
      wide = __builtin_ia32_crc32di(wide, word[0]);
      second = __builtin_ia32_crc32di(second, word[1]);
      third = __builtin_ia32_crc32di(third, word[2]);
    }
    wide = shifted(shifted(wide) ^ second) ^ third;
  }
  for (; size >= 8; data += 8, size -= 8) {
    std::memcpy(&word[0], data, 8);
    wide = __builtin_ia32_crc32di(wide, word[0]);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; size > 0; ++data, --size) crc = __builtin_ia32_crc32qi(crc, static_cast<unsigned char>(*data));
  return crc;
}
#endif

[[nodiscard]] inline bool has_crc32c_instruction() noexcept {
#if defined(__x86_64__)
  static bool const has = __builtin_cpu_supports("sse4.2") != 0;
  return has;
#else
  return false;
#endif
}

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of \p bytes; \p before is the checksum of what precedes them, so that
/// parts can be added one after the other.
[[nodiscard]] inline std::uint32_t crc32c(std::span<std::byte const> bytes, std::uint32_t before = 0) noexcept {
#if defined(__x86_64__)
  if (has_crc32c_instruction()) return ~crc32c_by_instruction(~before, bytes.data(), bytes.size());
#endif
  return ~crc32c_by_table(~before, bytes.data(), bytes.size());
}

}  // namespace zero::detail
