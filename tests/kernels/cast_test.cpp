// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/cast.hpp>

#include <doctest/doctest.h>
#include <kernels/support.hpp>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace kernels_cast_test {

using zero::bfloat16, zero::float16;

namespace {

// Formats by their definition, in double arithmetic, which is exact for all that happens here.
struct Format {
  int mantissa_bits, exponent_bits;
  [[nodiscard]] int bias() const { return (1 << (exponent_bits - 1)) - 1; }

  [[nodiscard]] double decode(std::uint16_t bits) const {
    int const mantissa = bits & ((1 << mantissa_bits) - 1),
              exponent = (bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
    double const sign = bits >> 15 != 0 ? -1 : 1;
    if (exponent == (1 << exponent_bits) - 1) return mantissa != 0 ? double(NAN) : sign * double(INFINITY);
    if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias() - mantissa_bits);
    return sign * std::ldexp((1 << mantissa_bits) + mantissa, exponent - bias() - mantissa_bits);
  }

  // The nearest value: scaled so that the last place is one, rounded by the definition of a tie, encoded again.
  [[nodiscard]] std::uint16_t encode(double x) const {
    int const infinity = ((1 << exponent_bits) - 1) << mantissa_bits;
    if (std::isnan(x)) return static_cast<std::uint16_t>(infinity | 1 << (mantissa_bits - 1));
    int const sign = std::signbit(x) ? 0x8000 : 0;
    double const magnitude = std::abs(x);
    if (std::isinf(x)) return static_cast<std::uint16_t>(sign | infinity);
    int const exponent = magnitude == 0 ? 1 - bias() : std::max(std::ilogb(magnitude), 1 - bias());
    double const scaled = std::ldexp(magnitude, mantissa_bits - exponent), floor = std::floor(scaled);
    double const rest = scaled - floor;
    bool const up = rest > 0.5 || (rest == 0.5 && std::fmod(floor, 2) != 0);
    int const code = static_cast<int>(floor) + (up ? 1 : 0) + ((exponent + bias() - 1) << mantissa_bits);
    return static_cast<std::uint16_t>(sign | std::min(code, infinity));
  }
};

template <class T>
constexpr Format format_of = {10, 5};
template <>
constexpr Format format_of<bfloat16> = {7, 8};

template <class To, class From>
std::vector<To> cast(zero::InstructionSet set, std::vector<From> const& in) {
  std::vector<To> out(in.size());
  zero::cast(set, out.data(), in.data(), in.size());
  return out;
}

template <class T>
std::vector<T> all_patterns() {
  std::vector<T> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].bits = static_cast<std::uint16_t>(i);
  return all;
}

// Around every value of T and every midpoint between two: the float itself and its neighbours; and a million others.
template <class T>
std::vector<float> edges() {
  std::vector<float> all = {INFINITY, -INFINITY, NAN, -NAN, 3.4028235e38F, 1e-45F, 65504.0F, 65519.996F, 65520.0F};
  for (std::uint32_t bits = 0; bits < 65535; ++bits) {
    double const low = format_of<T>.decode(static_cast<std::uint16_t>(bits));
    double const high = format_of<T>.decode(static_cast<std::uint16_t>(bits + 1));
    if (!std::isfinite(low) || !std::isfinite(high)) continue;
    for (auto x : {static_cast<float>(low), static_cast<float>((low + high) / 2)}) {
      all.insert(all.end(), {x, std::nextafter(x, INFINITY), std::nextafter(x, -INFINITY)});
    }
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 1'000'000; ++i) all.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(random())));
  return all;
}

template <class T>
void check_widening() {
  auto const all = all_patterns<T>();
  for (auto set : kernel_test::instruction_sets()) {
    auto const wide = cast<float>(set, all);
    int wrong = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      double const expected = format_of<T>.decode(all[i].bits);
      bool const same = std::isnan(expected) ? std::isnan(wide[i]) && std::isnan(zero::widen(all[i]))
                                             : wide[i] == expected && std::signbit(wide[i]) == std::signbit(expected);
      bool const scalar = std::bit_cast<std::uint32_t>(zero::widen(all[i])) == std::bit_cast<std::uint32_t>(wide[i]);
      wrong += same && scalar ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

template <class T>
void check_narrowing() {
  auto const all = edges<T>();
  std::vector<T> expected(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) expected[i].bits = format_of<T>.encode(static_cast<double>(all[i]));
  for (auto set : kernel_test::instruction_sets()) CHECK(kernel_test::same_bits(cast<T>(set, all), expected));
  int wrong = 0;
  for (std::size_t i = 0; i < all.size(); ++i) wrong += zero::narrow<T>(all[i]).bits == expected[i].bits ? 0 : 1;
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("cast: all 65,536 patterns of float16 and bfloat16 widen to their value") {
  check_widening<float16>();
  check_widening<bfloat16>();
}

TEST_CASE("cast: floats at, around and between all 16-bit values narrow to the nearest, ties to even") {
  check_narrowing<float16>();
  check_narrowing<bfloat16>();
}

TEST_CASE("cast: all 16-bit patterns come back from float, NaN as one canonical NaN") {
  for (auto set : kernel_test::instruction_sets()) {
    for (auto x : cast<float16>(set, cast<float>(set, all_patterns<float16>()))) {
      if ((x.bits & 0x7C00) == 0x7C00 && (x.bits & 0x03FF) != 0) CHECK(x.bits == 0x7E00);
    }
    auto const all = all_patterns<bfloat16>();
    auto const back = cast<bfloat16>(set, cast<float>(set, all));
    int wrong = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      bool const nan = (all[i].bits & 0x7FFF) > 0x7F80;
      wrong += back[i].bits == (nan ? 0x7FC0 : all[i].bits) ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("cast: between the 16-bit types goes through the exact float") {
  auto const halves = all_patterns<float16>();
  std::vector<bfloat16> expected(halves.size());
  for (std::size_t i = 0; i < halves.size(); ++i) expected[i] = zero::narrow<bfloat16>(zero::widen(halves[i]));
  for (auto set : kernel_test::instruction_sets()) CHECK(kernel_test::same_bits(cast<bfloat16>(set, halves), expected));
}

TEST_CASE("cast: any count from 0 to 40, at any alignment, writes that many elements") {
  std::vector<float> in(64);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i) + 0.5F;
  for (auto set : kernel_test::instruction_sets()) {
    for (std::size_t n = 0; n <= 40; ++n) {
      std::size_t const offset = n % 7;
      std::vector<float16> out(64, float16{0xABCD});
      zero::cast(set, out.data() + offset, in.data() + 1, n);
      for (std::size_t i = 0; i < out.size(); ++i) {
        bool const inside = i >= offset && i < offset + n;
        REQUIRE(out[i].bits == (inside ? zero::narrow<float16>(in[i - offset + 1]).bits : 0xABCD));
      }
    }
  }
}

}  // namespace kernels_cast_test
