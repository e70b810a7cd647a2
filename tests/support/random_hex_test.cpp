// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/support/random_hex.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>

namespace support_random_hex_test {
namespace {

TEST_CASE("random hex: as many lower-case digits as asked for, every time others") {
  for (std::size_t const digits : {0U, 1U, 8U, 9U, 16U, 32U}) {
    auto const text = zero::detail::random_hex(digits);
    CHECK(text.size() == digits);
    CHECK(text.find_first_not_of("0123456789abcdef") == std::string::npos);
  }
  // The second word is not the first again.
  auto const text = zero::detail::random_hex(32);
  CHECK(text.substr(0, 8) + text.substr(0, 8) != text.substr(8, 16));
  CHECK(text != zero::detail::random_hex(32));
}

}  // namespace
}  // namespace support_random_hex_test
