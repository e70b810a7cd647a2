// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/loss_scaler.hpp>
#include <zero/support/padding.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace support_padding_test {

namespace {

struct Plain {
  float scale = 1.0F;
};
struct Inner {
  char kind;
  int count;
};
struct Outer {
  Inner inner[2];
  bool last;
};
struct MadeByCode {
  MadeByCode() : scale(1.0F), kind('a') {}
  float scale;
  char kind;
};

// The bytes of a T that are left as they were, the first one as the lowest bit.
template <class T>
std::uint32_t kept() {
  std::array<std::byte, sizeof(T)> bytes;
  bytes.fill(std::byte{0xA5});
  zero::detail::clear_padding<T>(bytes.data());
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    CHECK((bytes[i] == std::byte{0xA5} || bytes[i] == std::byte{0}));
    if (bytes[i] != std::byte{0}) mask |= 1U << i;
  }
  return mask;
}

}  // namespace

TEST_CASE("padding: the bytes of a value stay, those between members are zero") {
  CHECK(kept<Plain>() == 0xF);
  CHECK(kept<zero::DynamicScale::State>() == 0x1FFF);
  CHECK(kept<Outer>() == 0x1F1F1);
  CHECK(kept<MadeByCode>() == 0xFF);  // no constant expression: nobody knows
}

}  // namespace support_padding_test
