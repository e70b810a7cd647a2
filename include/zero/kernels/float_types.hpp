// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/scalar.hpp>

#include <cstdint>

namespace zero {

/// Brain floating point: 1 sign bit, 8 of exponent, 7 of mantissa: the upper half of a float.
struct bfloat16 {
  std::uint16_t bits;  ///< sign, exponent and mantissa
};

/// IEEE 754 binary16: 1 sign bit, 5 of exponent, 10 of mantissa; the largest value is 65504.
struct float16 {
  std::uint16_t bits;  ///< sign, exponent and mantissa
};

namespace detail {

// On bits, so that a NaN passes through a build that believes there are none.
ZERO_HOST_DEVICE inline F32 widen_bits(float const& x) { return bit_cast<F32>(x); }
ZERO_HOST_DEVICE inline F32 widen_bits(bfloat16 x) { return F32{x.bits} << 16; }
ZERO_HOST_DEVICE inline F32 widen_bits(float16 x) {
  F32 const sign = (x.bits & 0x8000U) << 16, magnitude = x.bits & 0x7FFFU;
  if (magnitude == 0) return sign;
  // A subnormal is m · 2^-24, and so is the distance of the float with m in its last bits from one half.
  if (magnitude < 0x0400U) return sign | f32_sub(0x3F000000U + magnitude, 0x3F000000U);
  if (magnitude < 0x7C00U) return sign | ((magnitude << 13) + 0x38000000U);
  F32 const quiet = magnitude == 0x7C00U ? 0 : 0x00400000U;  // as F16C does it
  return sign | 0x7F800000U | quiet | magnitude << 13;
}

// x / 2^shift, rounded to nearest, ties to even; shift in 1 .. 31.
ZERO_HOST_DEVICE inline F32 shift_to_nearest_even(F32 x, F32 shift) {
  F32 const half = F32{1} << (shift - 1), odd = (x >> shift) & 1;
  return (x + (half - 1) + odd) >> shift;
}

ZERO_HOST_DEVICE inline bfloat16 narrow_bits(bfloat16, F32 x) {
  if ((x & 0x7FFFFFFFU) > 0x7F800000U) return {0x7FC0U};
  return {static_cast<std::uint16_t>(shift_to_nearest_even(x, 16))};
}
ZERO_HOST_DEVICE inline float16 narrow_bits(float16, F32 x) {
  F32 const sign = x >> 16 & 0x8000U, magnitude = x & 0x7FFFFFFFU;
  if (magnitude > 0x7F800000U) return {0x7E00U};
  F32 result = 0;
  if (magnitude >= 0x477FF000U) {  // 65520: half-way between the largest value and the next power of two
    result = 0x7C00U;
  } else if (magnitude >= 0x38800000U) {  // 2^-14, the smallest normal
    result = shift_to_nearest_even(magnitude - 0x38000000U, 13);
  } else if (magnitude > 0x33000000U) {  // 2^-25, half of the smallest subnormal: a tie, to zero
    result = shift_to_nearest_even((magnitude & 0x007FFFFFU) | 0x00800000U, 126 - (magnitude >> 23));
  }
  return {static_cast<std::uint16_t>(sign | result)};
}
ZERO_HOST_DEVICE inline float narrow_bits(float, F32 x) { return bit_cast<float>(x); }

}  // namespace detail

/// The float of the same value, exactly; a NaN stays one.
[[nodiscard]] ZERO_HOST_DEVICE inline float widen(float x) { return x; }
[[nodiscard]] ZERO_HOST_DEVICE inline float widen(bfloat16 x) { return detail::bit_cast<float>(detail::widen_bits(x)); }
[[nodiscard]] ZERO_HOST_DEVICE inline float widen(float16 x) { return detail::bit_cast<float>(detail::widen_bits(x)); }

/// The nearest value of \p Element (float, bfloat16 or float16), ties to even; infinity from half a unit above the
/// largest value on, as IEEE 754 has it. To a 16-bit type every NaN becomes one canonical NaN (0x7FC0 or 0x7E00).
template <class Element>
[[nodiscard]] ZERO_HOST_DEVICE inline Element narrow(float x) {
  return detail::narrow_bits(Element{}, detail::widen_bits(x));
}

}  // namespace zero
