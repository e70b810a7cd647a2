// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/utility/fingerprint.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

namespace utility_fingerprint_test {

// The values are those of the authors' test vectors (draft-eastlake-fnv, appendix C).
TEST_CASE("fingerprint: FNV-1a of 64 bits, in one piece or in several") {
  CHECK(zero::fingerprint_of("") == 0xCBF29CE484222325U);
  CHECK(zero::fingerprint_of("a") == 0xAF63DC4C8601EC8CU);
  CHECK(zero::fingerprint_of("foobar") == 0x85944171F73967E8U);
  zero::Fingerprint pieces;
  pieces.add_text("foo");
  pieces.add_text("");
  pieces.add_text("bar");
  CHECK(pieces.value() == zero::fingerprint_of("foobar"));
}

TEST_CASE("fingerprint: a value counts by its bytes") {
  zero::Fingerprint bytes, word;
  for (char const byte : {'\x01', '\x02', '\x02', '\x01'}) bytes.add(byte);
  word.add(std::uint32_t{0x01020201});
  CHECK(word.value() == bytes.value());
}

}  // namespace utility_fingerprint_test
