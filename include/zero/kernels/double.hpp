// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/scalar.hpp>

#include <cstdint>

namespace zero {

/// A double whose operations round once each, to nearest, in every build: what a rule's `constants` are written in, so
/// that `1.0 - power(beta, step)` is not contracted, nor a division turned into a product. The same bits on host and
/// device. Converts from double; back with `value()`, or to float, rounded once, with `to_float()`.
class Double {
 public:
  /// The same value.
  ZERO_HOST_DEVICE Double(double value) : bits_(detail::bit_cast<detail::F64>(value)) {}
  /// The same value.
  [[nodiscard]] ZERO_HOST_DEVICE double value() const { return detail::bit_cast<double>(bits_); }
  /// The nearest float.
  [[nodiscard]] ZERO_HOST_DEVICE float to_float() const { return detail::bit_cast<float>(detail::f32_from_f64(bits_)); }

  ZERO_HOST_DEVICE friend Double operator+(Double a, Double b) { return from_bits(detail::f64_add(a.bits_, b.bits_)); }
  ZERO_HOST_DEVICE friend Double operator-(Double a, Double b) { return from_bits(detail::f64_sub(a.bits_, b.bits_)); }
  ZERO_HOST_DEVICE friend Double operator*(Double a, Double b) { return from_bits(detail::f64_mul(a.bits_, b.bits_)); }
  ZERO_HOST_DEVICE friend Double operator/(Double a, Double b) { return from_bits(detail::f64_div(a.bits_, b.bits_)); }
  ZERO_HOST_DEVICE friend Double operator-(Double a) { return from_bits(a.bits_ ^ detail::F64{1} << 63); }
  ZERO_HOST_DEVICE friend Double sqrt(Double a) { return from_bits(detail::f64_sqrt(a.bits_)); }

 private:
  ZERO_HOST_DEVICE static Double from_bits(detail::F64 bits) { return {detail::bit_cast<double>(bits)}; }

  detail::F64 bits_;
};

/// `base` to the power of `exponent` by repeated squaring: `pow` differs between libraries, this does not.
[[nodiscard]] ZERO_HOST_DEVICE inline double power(double base, std::uint64_t exponent) {
  Double result = 1.0, square = base;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) result = result * square;
    square = square * square;
  }
  return result.value();
}

}  // namespace zero
