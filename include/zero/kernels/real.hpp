// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/scalar.hpp>
#include <zero/kernels/double.hpp>
#include <zero/kernels/floating_point_guard.hpp>
#include <zero/kernels/instruction_set.hpp>

#include <cstddef>
#include <cstdint>

namespace zero {

// A rule is one template over `Real`: one float (Real1: the baseline driver, the device) or a vector of them (Real8:
// AVX2, Real16: AVX-512). Each operation below is one instruction that rounds once, to nearest; the same bits in every
// lane, instruction set and build. NaN counts as NaN: its payload is not promised.
//
//   Real(float)                        the same value in every lane
//   a + b   a - b   a * b   a / b      -a
//   fma(a, b, c)                       a · b + c, rounded once
//   sqrt(a)   abs(a)
//   max(a, b)                          a > b ? a : b, so b where either is NaN
//   sign(a)                            -1, 0 or +1; NaN where a is NaN

/// One float.
struct Real1 {
  /// Elements.
  static constexpr std::size_t width = 1;

  Real1() = default;
  /// The same value.
  ZERO_HOST_DEVICE Real1(float x) : bits{detail::bit_cast<std::uint32_t>(x)} {}

  std::uint32_t bits[width];  ///< of the float
};

namespace detail {
ZERO_HOST_DEVICE inline Real1 real1(F32 bits) {
  Real1 r;
  r.bits[0] = bits;
  return r;
}
}  // namespace detail

ZERO_HOST_DEVICE inline Real1 operator+(Real1 const& a, Real1 const& b) {
  return detail::real1(detail::f32_add(a.bits[0], b.bits[0]));
}
ZERO_HOST_DEVICE inline Real1 operator-(Real1 const& a, Real1 const& b) {
  return detail::real1(detail::f32_sub(a.bits[0], b.bits[0]));
}
ZERO_HOST_DEVICE inline Real1 operator*(Real1 const& a, Real1 const& b) {
  return detail::real1(detail::f32_mul(a.bits[0], b.bits[0]));
}
ZERO_HOST_DEVICE inline Real1 operator/(Real1 const& a, Real1 const& b) {
  return detail::real1(detail::f32_div(a.bits[0], b.bits[0]));
}
ZERO_HOST_DEVICE inline Real1(max)(Real1 const& a, Real1 const& b) {
  return detail::real1(detail::f32_max(a.bits[0], b.bits[0]));
}
ZERO_HOST_DEVICE inline Real1(fma)(Real1 const& a, Real1 const& b, Real1 const& c) {
  return detail::real1(detail::f32_fma(a.bits[0], b.bits[0], c.bits[0]));
}
ZERO_HOST_DEVICE inline Real1 sqrt(Real1 const& a) { return detail::real1(detail::f32_sqrt(a.bits[0])); }
ZERO_HOST_DEVICE inline Real1(abs)(Real1 const& a) { return detail::real1(a.bits[0] & 0x7FFFFFFFU); }
ZERO_HOST_DEVICE inline Real1 operator-(Real1 const& a) { return detail::real1(a.bits[0] ^ 0x80000000U); }
ZERO_HOST_DEVICE inline Real1 sign(Real1 const& a) {
  std::uint32_t const magnitude = a.bits[0] & 0x7FFFFFFFU;
  if (magnitude == 0) return detail::real1(0);
  return detail::real1(magnitude > 0x7F800000U ? a.bits[0] : (a.bits[0] & 0x80000000U) | 0x3F800000U);
}

/// The optimizer states of one element, or of one vector of elements. (std::array is not callable on a device.)
template <class Real, std::size_t state_count>
struct States {
  Real data[state_count == 0 ? 1 : state_count];  ///< one for each state

  /// The \p k-th state.
  ZERO_HOST_DEVICE Real& operator[](std::size_t k) { return data[k]; }
  /// The \p k-th state.
  ZERO_HOST_DEVICE Real const& operator[](std::size_t k) const { return data[k]; }
  /// Number of states.
  static constexpr std::size_t size() { return state_count; }
};

}  // namespace zero

// Rules write `(fma)(...)`, which no macro can be, and for which the arguments do not tell where to look.
namespace zero::detail {
using zero::fma;
}

#include <zero/kernels/detail/real_x86.hpp>

#if defined(__x86_64__)
namespace zero {
// The overloads for vectors of an instruction set, which a rule knows as its Real only: `(fma)(...)` is not looked up
// by its arguments.
using detail::fma;
}  // namespace zero
#endif
