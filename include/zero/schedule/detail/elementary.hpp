// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/detail/scalar.hpp>
#include <zero/kernels/double.hpp>
#include <zero/schedule/detail/double_double.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstdint>

// Logarithm, cosine and power of a schedule. Those of libm differ between libraries, versions and processors, and one
// bit of a learning rate makes another model. These compute with 106 bits and round once: the nearest double, but for
// one argument in some 2^50. The caller holds a FloatingPointGuard.
namespace zero::detail {

inline constexpr double pi = 0x1.921fb54442d18p+1;

/// The natural logarithm of \p x, a normal number above 0: x = m 2^e with m in [√½, √2), and
/// ln m = 2 (s + s³/3 + s⁵/5 + ...) with s = (m − 1)/(m + 1), |s| < 0.172.
ZERO_OUT_OF_LINE inline Double logarithm(Double x) {
  constexpr std::uint64_t fraction = (std::uint64_t{1} << 52) - 1, one = std::uint64_t{1023} << 52;
  auto const bits = bit_cast<std::uint64_t>(x.value());
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  std::uint64_t mantissa = (bits & fraction) | one;
  if ((bits & fraction) > 0x6A09E667F3BCC) {  // above √2
    mantissa -= std::uint64_t{1} << 52;
    ++exponent;
  }
  Double const m = bit_cast<double>(mantissa);
  auto const s = exact_sum(m, -1.0) / exact_sum(m, 1.0);
  auto const square = s * s;
  DoubleDouble sum, power = s;
  for (int n = 1; n <= 45; n += 2) {
    sum = sum + power / DoubleDouble{static_cast<double>(n), 0.0};
    power = power * square;
  }
  DoubleDouble const ln2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
  return (DoubleDouble{static_cast<double>(exponent), 0.0} * ln2 + (sum + sum)).high;
}

/// The cosine of \p x in [0, 2^40]: x = k π/2 + r with |r| <= π/4, and Taylor's series of r.
ZERO_OUT_OF_LINE inline Double cosine(Double x) {
  Double const quarters = x * Double(0x1.45f306dc9c883p-1) + Double(0.5);
  auto const k = static_cast<std::uint64_t>(quarters.value());
  Double const count = static_cast<double>(k);
  // π/2 in three parts.
  auto const r = DoubleDouble{x, 0.0} - exact_product(count, 0x1.921fb54442d18p+0) -
                 exact_product(count, 0x1.1a62633145c07p-54) - exact_product(count, -0x1.f1976b7ed8fbcp-110);
  auto const square = -(r * r);
  bool const is_sine = k % 2 != 0;
  DoubleDouble term = is_sine ? r : DoubleDouble{1.0, 0.0};
  auto sum = term;
  for (int n = is_sine ? 2 : 1; n < 30; n += 2) {
    term = term * square / DoubleDouble{static_cast<double>(n * (n + 1)), 0.0};
    sum = sum + term;
  }
  return k % 4 == 1 || k % 4 == 2 ? -sum.high : sum.high;
}

/// \p base, in (0, 1], to the power of \p exponent, by repeated squaring.
ZERO_OUT_OF_LINE inline Double power_of(Double base, std::uint64_t exponent) {
  DoubleDouble result{1.0, 0.0}, square{base, 0.0};
  while (exponent != 0) {
    if ((exponent & 1) != 0) result = result * square;
    exponent >>= 1;
    if (exponent != 0) square = square * square;
  }
  return result.high;
}

/// A count as a number.
inline Double number(std::uint64_t count) { return static_cast<double>(count); }

}  // namespace zero::detail
