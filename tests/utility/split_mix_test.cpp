// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/utility/split_mix.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <initializer_list>

namespace utility_split_mix_test {

// The values are those of the reference implementation in C (Sebastiano Vigna, splitmix64.c) for this seed.
TEST_CASE("split mix: the sequence of the reference implementation, one by one or by number") {
  constexpr std::uint64_t seed = 1234567;
  zero::SplitMix64 random(seed);
  std::uint64_t n = 0;
  for (std::uint64_t const expected : {6457827717110365317U, 3203168211198807973U, 9817491932198370423U,
                                       4593380528125082431U, 16408922859458223821U}) {
    CHECK(random() == expected);
    CHECK(zero::SplitMix64::at(seed, n++) == expected);
  }
}

}  // namespace utility_split_mix_test
