// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"

#include <zero/checkpoint/detail/crc32c.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <vector>

namespace checkpoint_crc32c_test {

using checkpoint_test::bytes_of;

namespace {

// One bit at a time, straight from the definition.
std::uint32_t slow(std::span<std::byte const> bytes) {
  std::uint32_t crc = ~0U;
  for (auto const byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) * 0x82F63B78U);
  }
  return ~crc;
}

std::vector<std::byte> noise(std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::uint32_t state = 1;
  for (auto& byte : bytes) byte = static_cast<std::byte>((state = state * 1664525U + 1013904223U) >> 24U);
  return bytes;
}

}  // namespace

TEST_CASE("crc32c: the vectors of RFC 3720 and the check value of the catalogue") {
  CHECK(zero::detail::crc32c(bytes_of("123456789")) == 0xE3069283U);
  CHECK(zero::detail::crc32c(bytes_of(std::string(32, '\0'))) == 0x8A9136AAU);
  CHECK(zero::detail::crc32c(bytes_of(std::string(32, '\xFF'))) == 0x62A8AB43U);
  CHECK(zero::detail::crc32c({}) == 0);
}

TEST_CASE("crc32c: table, instruction and definition agree at every length and alignment, whole and in parts") {
  auto const data = noise(300);
  for (std::size_t begin = 0; begin < 8; ++begin) {
    for (std::size_t size = 0; begin + size <= 280; ++size) {
      auto const part = std::span(data).subspan(begin, size);
      auto const expected = slow(part);
      REQUIRE(zero::detail::crc32c(part) == expected);
      REQUIRE(~zero::detail::crc32c_by_table(~0U, part.data(), part.size()) == expected);
      REQUIRE(zero::detail::crc32c(part.subspan(size / 3), zero::detail::crc32c(part.first(size / 3))) == expected);
    }
  }
}

TEST_CASE("crc32c: parts that are summed side by side join to what the definition says") {
  auto const data = noise(40'000);
  for (std::size_t const size : {6143U, 6144U, 6145U, 6151U, 6152U, 12'287U, 12'288U, 18'440U, 39'990U}) {
    for (std::size_t const begin : {0U, 1U, 4U, 7U}) {
      auto const part = std::span(data).subspan(begin, size);
      auto const expected = slow(part);
      CHECK(zero::detail::crc32c(part) == expected);
      CHECK(zero::detail::crc32c(part.subspan(7000 % size), zero::detail::crc32c(part.first(7000 % size))) == expected);
    }
  }
}

}  // namespace checkpoint_crc32c_test
