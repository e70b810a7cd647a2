// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/double.hpp>

#include <cstdint>

namespace zero::detail {

/// An unevaluated sum of two doubles, the second at most half a unit in the last place of the first: some 106 bits
/// (Dekker, "A floating-point technique for extending the available precision", 1971). Its operations are made of
/// those of Double, which round once each in every build.
struct DoubleDouble {
  Double high = 0.0;
  Double low = 0.0;
};

/// The exact sum, where \p a is not smaller than \p b in magnitude, or is 0.
inline DoubleDouble sum_of_ordered(Double a, Double b) {
  Double const sum = a + b;
  return {sum, b - (sum - a)};
}
/// The exact sum (Knuth).
inline DoubleDouble exact_sum(Double a, Double b) {
  Double const sum = a + b, share = sum - a;
  return {sum, (a - (sum - share)) + (b - share)};
}
/// The exact product, without an instruction for it (Dekker's halves of 26 bits).
inline DoubleDouble exact_product(Double a, Double b) {
  auto const upper = [](Double x) {
    Double const scaled = Double(134217729.0) * x;  // 2^27 + 1
    return scaled - (scaled - x);
  };
  Double const product = a * b;
  Double const a1 = upper(a), b1 = upper(b), a2 = a - a1, b2 = b - b1;
  return {product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

inline DoubleDouble operator-(DoubleDouble const& a) { return {-a.high, -a.low}; }
inline DoubleDouble operator+(DoubleDouble const& a, DoubleDouble const& b) {
  auto const high = exact_sum(a.high, b.high), low = exact_sum(a.low, b.low);
  auto const sum = sum_of_ordered(high.high, high.low + low.high);
  return sum_of_ordered(sum.high, sum.low + low.low);
}
inline DoubleDouble operator-(DoubleDouble const& a, DoubleDouble const& b) { return a + -b; }
inline DoubleDouble operator*(DoubleDouble const& a, DoubleDouble const& b) {
  auto const product = exact_product(a.high, b.high);
  return sum_of_ordered(product.high, product.low + (a.high * b.low + a.low * b.high));
}
inline DoubleDouble operator/(DoubleDouble const& a, DoubleDouble const& b) {
  Double const first = a.high / b.high;
  auto rest = a - b * DoubleDouble{first, 0.0};
  Double const second = rest.high / b.high;
  rest = rest - b * DoubleDouble{second, 0.0};
  return sum_of_ordered(first, second) + DoubleDouble{rest.high / b.high, 0.0};
}

}  // namespace zero::detail
