// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/scalar.hpp>

#include <cstddef>
#include <cstdint>

namespace zero {

/// A sum of non-negative doubles without any rounding: a fixed-point number in digits of 32 bits, each in a word of 64.
/// The order and grouping of additions cannot change it, so neither can the number of ranks or threads among which they
/// are spread.
///
/// Digit k counts units of 2^(32 k − 320): from 2^-320 (the square of the smallest float is 2^-298) to 2^320 (the
/// square of the largest is below 2^256, and no machine adds 2^64 of them). Normalized digits are below 2^32, so the
/// digit arrays of 2^31 ranks add up as plain integers (an all-reduce), to be normalized again.
class ExactSum {
 public:
  /// Digits of a sum.
  static constexpr std::size_t words = 20;
  std::uint64_t digits[words] = {};  ///< 32 bits each, the lowest first; the upper half is room for carries
  friend bool operator==(ExactSum const&, ExactSum const&) = default;

  /// What a number adds to three neighbouring digits, each part below 2^32.
  struct Term {
    std::uint32_t digit = 0;             ///< the lowest of the three
    std::uint64_t parts[3] = {0, 0, 0};  ///< of one addend, in neighbouring digits
  };
  /// \p x: finite, not negative, below 2^288; bits below 2^-320 are cut off.
  ZERO_HOST_DEVICE static Term split(double x) {
    constexpr std::uint64_t hidden = std::uint64_t{1} << 52;
    auto const bits = detail::bit_cast<std::uint64_t>(x);
    std::uint64_t mantissa = (bits & (hidden - 1)) | hidden;
    int position = static_cast<int>(bits >> 52) - (1075 - 320);  // of the last mantissa bit, above 2^-320
    if (position < 0) {
      if (position <= -53) return {};
      mantissa >>= -position;
      position = 0;
    }
    unsigned const shift = static_cast<unsigned>(position) % 32;
    std::uint64_t const low = mantissa << shift, high = mantissa >> 1 >> (63 - shift);
    return {static_cast<std::uint32_t>(position) / 32, {low & 0xFFFFFFFFU, low >> 32, high}};
  }

  /// Adds \p x, as `split` takes it. At most 2^32 − 1 times without `normalize`.
  ZERO_HOST_DEVICE void add(double x) {
    auto const term = split(x);
    for (std::uint32_t i = 0; i < 3; ++i) digits[term.digit + i] += term.parts[i];
  }

  /// Carries, so that every digit but the last is below 2^32.
  ZERO_HOST_DEVICE void normalize() {
    for (std::size_t k = 0; k + 1 < words; ++k) {
      digits[k + 1] += digits[k] >> 32;
      digits[k] &= 0xFFFFFFFFU;
    }
  }

  /// The nearest double, ties to even. Integer operations only: it has the same bits in every build.
  [[nodiscard]] ZERO_HOST_DEVICE double value() const {
    ExactSum normal = *this;
    normal.normalize();
    std::size_t top = words - 1;
    while (top > 0 && normal.digits[top] == 0) --top;
    if (normal.digits[top] == 0) return 0.0;
    return normal.round_from(top);
  }

 private:
  [[nodiscard]] ZERO_HOST_DEVICE std::uint64_t digit_or_zero(std::size_t top, std::size_t below) const {
    return below <= top ? digits[top - below] : 0;
  }

  // The leading 64 bits from digit `top` down, the last of them set when anything lies below, rounded to 53.
  [[nodiscard]] ZERO_HOST_DEVICE double round_from(std::size_t top) const {
    int const zeros = detail::count_leading_zeros(static_cast<std::uint32_t>(digits[top]));
    std::uint64_t const next = digit_or_zero(top, 2) << 32 | digit_or_zero(top, 3);
    std::uint64_t leading = (digits[top] << 32 | digit_or_zero(top, 1)) << zeros | next >> 1 >> (63 - zeros);
    bool below = next << zeros != 0;
    for (std::size_t k = 0; k + 3 < top; ++k) below = below || digits[k] != 0;
    leading |= static_cast<std::uint64_t>(below);
    constexpr std::uint64_t half = 1U << 10;
    std::uint64_t const odd = leading >> 11 & 1;
    // Rounding up to a power of two carries into the exponent, as it should.
    std::uint64_t const mantissa = (leading >> 11) + ((leading & (2 * half - 1)) + odd > half ? 1 : 0);
    int const exponent = static_cast<int>(top) * 32 - 320 + 31 - zeros;
    return detail::bit_cast<double>((static_cast<std::uint64_t>(exponent + 1022) << 52) + mantissa);
  }
};

}  // namespace zero
