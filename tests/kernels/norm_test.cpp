// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/kernels/norm.hpp>

#include <doctest/doctest.h>
#include <kernels/support.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace kernels_norm_test {

using zero::bfloat16, zero::ExactSum;

namespace {

// A natural number of any size, in decimal-like digits of 16 bits: an arithmetic of its own to judge ExactSum by.
// Units are 2^-1074, in which every double is an integer.
class Natural {
 public:
  void add_double(double x) {
    int exponent = 0;
    auto mantissa = static_cast<std::uint64_t>(std::ldexp(std::frexp(x, &exponent), 53));
    for (int shift = exponent - 53 + 1074; mantissa != 0; ++shift, mantissa >>= 1) {
      if (mantissa & 1) add_bit(static_cast<std::size_t>(shift));
    }
  }
  [[nodiscard]] bool bit(std::size_t k) const {
    return k / 16 < digits_.size() && (digits_[k / 16] >> (k % 16) & 1) != 0;
  }
  [[nodiscard]] std::size_t size() const { return digits_.size() * 16; }

  // The nearest double, ties to even, a bit at a time.
  [[nodiscard]] double nearest() const {
    std::size_t top = size();
    while (top > 0 && !bit(top - 1)) --top;
    double value = 0;
    for (std::size_t k = 0; k < 53 && k < top; ++k)
      value += bit(top - 1 - k) ? std::ldexp(1.0, int(top - 1 - k) - 1074) : 0;
    if (top <= 53) return value;
    bool const half = bit(top - 54), odd = bit(top - 53);
    bool rest = false;
    for (std::size_t k = 0; k + 54 < top; ++k) rest = rest || bit(k);
    return half && (rest || odd) ? value + std::ldexp(1.0, int(top - 53) - 1074) : value;
  }

 private:
  void add_bit(std::size_t k) {
    std::size_t digit = k / 16;
    for (std::uint32_t carry = 1U << (k % 16); carry != 0; ++digit) {
      if (digits_.size() <= digit) digits_.resize(digit + 1);
      std::uint32_t const sum = digits_[digit] + carry;
      digits_[digit] = sum & 0xFFFF;
      carry = sum >> 16;
    }
  }
  std::vector<std::uint32_t> digits_;
};

bool same_as(ExactSum const& sum, Natural const& expected) {
  for (std::size_t k = 0; k < ExactSum::words * 32; ++k) {
    bool const bit = (sum.digits[k / 32] >> (k % 32) & 1) != 0;
    if (bit != expected.bit(k + 1074 - 320)) return false;
  }
  return sum.value() == expected.nearest();
}

// The sum of squares of one norm block by the documented tree.
double granule_by_definition(float const* g, std::size_t n) {
  double x[128] = {};
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<double>(g[i]) * static_cast<double>(g[i]);
  for (std::size_t half = 64; half != 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) x[i] = x[i] + x[i + half];
  }
  return x[0];
}

std::vector<float> gradients(std::size_t n) {
  std::mt19937_64 random(n);
  std::vector<float> g(n);
  for (auto& x : g) x = kernel_test::any_finite(random);
  return g;
}

ExactSum squares(zero::InstructionSet set, std::vector<float> const& g) {
  ExactSum sum;
  CHECK(zero::add_squares(set, sum, g.data(), g.size()));
  return sum;
}

}  // namespace

TEST_CASE("norm: an exact sum equals integers of any size, from the smallest square to the largest") {
  std::mt19937_64 random(2);
  ExactSum sum;
  Natural expected;
  for (int i = 0; i < 3000; ++i) {
    double const x = std::ldexp(static_cast<double>(random() >> 11), static_cast<int>(random() % 553) - 320);
    sum.add(x);
    expected.add_double(x);
    sum.add(0.0);
  }
  sum.add(0x1p-298);
  expected.add_double(0x1p-298);
  sum.normalize();
  CHECK(same_as(sum, expected));
}

TEST_CASE("norm: the value of a sum is rounded to nearest, ties to even, whatever lies far below") {
  auto const value = [](std::initializer_list<double> addends) {
    ExactSum sum;
    for (double x : addends) sum.add(x);
    return sum.value();
  };
  CHECK(value({}) == 0.0);
  CHECK(value({0x1p-298}) == 0x1p-298);
  CHECK(value({1.0, 0x1p-53}) == 1.0);
  CHECK(value({1.0, 0x1p-53, 0x1p-298}) == 1.0 + 0x1p-52);
  CHECK(value({1.0 + 0x1p-52, 0x1p-53}) == 1.0 + 0x1p-51);
  CHECK(value({2.0 - 0x1p-52, 0x1p-53}) == 2.0);  // carries into the exponent
  CHECK(value({0x1p287, 0x1p-298}) == 0x1p287);
}

TEST_CASE("norm: digits hold two billion additions between normalizations, and add up over ranks as integers") {
  ExactSum one;
  one.add(std::ldexp(9007199254740991.0, 10));  // 53 ones: the most that one addition puts into a digit
  ExactSum many = one;
  for (auto& digit : many.digits) digit *= std::uint64_t{1} << 31;
  many.normalize();
  CHECK(many.value() == std::ldexp(9007199254740991.0, 41));
  ExactSum ranks = many;  // 2^31 ranks, each with normalized digits
  for (auto& digit : ranks.digits) {
    CHECK(digit < std::uint64_t{1} << 32);
    digit <<= 31;
  }
  ranks.normalize();
  CHECK(ranks.value() == std::ldexp(9007199254740991.0, 72));
}

TEST_CASE("norm: squares equal exact arithmetic over the documented tree, denormals and extremes included") {
  auto g = gradients(128 * 40 + 77);
  g[0] = 1e-45F, g[1] = 3.4028235e38F, g[2] = 0.0F, g[3] = -0.0F;
  Natural expected;
  for (std::size_t i = 0; i < g.size(); i += 128)
    expected.add_double(granule_by_definition(&g[i], std::min<std::size_t>(128, g.size() - i)));
  for (auto set : kernel_test::instruction_sets()) CHECK(same_as(squares(set, g), expected));
  std::vector<float> const tiny(1000, 1e-45F);
  for (auto set : kernel_test::instruction_sets()) CHECK(squares(set, tiny).value() == 1000 * 0x1p-298);
}

TEST_CASE("norm: bfloat16 gradients have the sum of their widened values") {
  std::mt19937_64 random(9);
  std::vector<bfloat16> g(128 * 5 + 3);
  std::vector<float> wide(g.size());
  for (std::size_t i = 0; i < g.size(); ++i)
    wide[i] = zero::widen(g[i] = zero::narrow<bfloat16>(kernel_test::ordinary(random)));
  for (auto set : kernel_test::instruction_sets()) {
    ExactSum sum;
    CHECK(zero::add_squares(set, sum, g.data(), g.size()));
    CHECK(sum == squares(zero::InstructionSet::baseline, wide));
  }
}

TEST_CASE("norm: the same digits on any number of ranks, in any order, from any number of calls") {
  auto const g = gradients(std::size_t{128} * 24 * 5);
  auto const expected = squares(zero::best_instruction_set(), g);
  for (std::size_t ranks : {1U, 2U, 3U, 4U, 6U, 8U, 12U, 24U}) {
    for (std::size_t bucket : {128U * 24U, 128U * 24U * 5U}) {
      ExactSum total;
      for (std::size_t rank = ranks; rank-- > 0;) {
        ExactSum sum;
        for (std::size_t from = 0; from < g.size(); from += bucket) {
          std::size_t const slice = bucket / ranks;
          zero::add_squares(zero::best_instruction_set(), sum, g.data() + from + rank * slice, slice);
        }
        for (std::size_t k = 0; k < ExactSum::words; ++k) total.digits[k] += sum.digits[k];
      }
      total.normalize();
      CHECK(total == expected);
    }
  }
}

TEST_CASE("norm: a single Inf or NaN is seen wherever it stands, and adds nothing") {
  auto const ordinary = std::vector<float>(300, 0.5F);
  std::uint32_t const bad[] = {0x7F800000U, 0xFF800000U, 0x7FC00000U, 0xFFC00001U, 0x7F800001U};
  for (auto set : kernel_test::instruction_sets()) {
    for (std::size_t place = 0; place < ordinary.size(); ++place) {
      auto g = ordinary;
      std::uint32_t const bits = bad[place % 5];
      std::memcpy(&g[place], &bits, sizeof bits);
      ExactSum sum;
      REQUIRE_FALSE(zero::add_squares(set, sum, g.data(), g.size()));
      REQUIRE(sum.value() == 299 * 0.25);
    }
    std::vector<bfloat16> halves(300, zero::narrow<bfloat16>(0.5F));
    halves[299].bits = 0x7F81;
    ExactSum sum;
    CHECK_FALSE(zero::add_squares(set, sum, halves.data(), halves.size()));
    CHECK(sum.value() == 299 * 0.25);
  }
}

TEST_CASE("norm: adding to a sum keeps what it held, and an empty array adds nothing") {
  ExactSum sum;
  sum.add(0.75);
  float const g[] = {2.0F, 0.5F};
  CHECK(zero::add_squares(zero::best_instruction_set(), sum, g, 2));
  CHECK(zero::add_squares(zero::best_instruction_set(), sum, g, 0));
  CHECK(sum.value() == 5.0);
}

}  // namespace kernels_norm_test
