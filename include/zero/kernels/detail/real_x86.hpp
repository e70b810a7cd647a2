// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/detail/scalar.hpp>
#include <zero/kernels/instruction_set.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)

// Vectors of memory class: an array, so that passing one is the same for a function compiled for AVX-512 and for the
// rule's template, which is compiled for nothing in particular. Inside a flattened driver they become registers. Not
// aligned as vectors either, and copied as bytes: GCC 12 at -O0 leaves temporaries of functions without a target at 16
// bytes, and both compilers load an operand of an assembly statement as if it were aligned.
// Operations are functions with a target, and not always_inline: GCC refuses to inline those into the rule's template,
// while the driver takes both. Inline assembly needs no <immintrin.h>, which costs 0.7 s in every translation unit.
//
// A device compiles rules for these types because a host-device template may name them, and never calls them.
#ifdef __CUDA_ARCH__
#define ZERO_HOST_ONLY(...) __builtin_unreachable();
#else
#define ZERO_HOST_ONLY(...) __VA_ARGS__
#endif

// clang-format off
#define ZERO_LANES_OPERATION(Real, target, name, instruction)                                                          \
  target ZERO_HOST_DEVICE inline Real (name)(Real const& a, Real const& b) { ZERO_HOST_ONLY(                           \
    Real::Vector r;                                                                                                    \
    asm(instruction " %2, %1, %0" : "=x"(r) : "x"(a.vector()), "x"(b.vector()));                                       \
    return Real(r);) }

#define ZERO_LANES(Real, lanes, target)                                                                                \
  struct Real {                                                                                                        \
    static constexpr std::size_t width = lanes;                                                                        \
    typedef std::uint32_t Vector __attribute__((vector_size(4 * lanes), may_alias));                                   \
    typedef std::int32_t Signed __attribute__((vector_size(4 * lanes), may_alias));                                    \
                                                                                                                       \
    Real() = default;                                                                                                  \
    target ZERO_HOST_DEVICE Real(float x) { ZERO_HOST_ONLY(                                                            \
      *this = Real(bit_cast<std::uint32_t>(x) | Vector{});) }                                                  \
    target explicit Real(Vector const& x) { std::memcpy(bits, &x, sizeof x); }                                         \
    target Vector vector() const {                                                                                     \
      Vector x;                                                                                                        \
      std::memcpy(&x, bits, sizeof x);                                                                                 \
      return x;                                                                                                        \
    }                                                                                                                  \
                                                                                                                       \
    std::uint32_t bits[width];                                                                                         \
  };                                                                                                                   \
  ZERO_LANES_OPERATION(Real, target, operator+, "vaddps")                                                              \
  ZERO_LANES_OPERATION(Real, target, operator-, "vsubps")                                                              \
  ZERO_LANES_OPERATION(Real, target, operator*, "vmulps")                                                              \
  ZERO_LANES_OPERATION(Real, target, operator/, "vdivps")                                                              \
  ZERO_LANES_OPERATION(Real, target, max, "vmaxps")                                                                    \
  target ZERO_HOST_DEVICE inline Real (fma)(Real const& a, Real const& b, Real const& c) { ZERO_HOST_ONLY(             \
    Real::Vector r = c.vector();                                                                                       \
    asm("vfmadd231ps %2, %1, %0" : "+x"(r) : "x"(a.vector()), "x"(b.vector()));                                        \
    return Real(r);) }                                                                                                 \
  target ZERO_HOST_DEVICE inline Real sqrt(Real const& a) { ZERO_HOST_ONLY(                                            \
    Real::Vector r;                                                                                                    \
    asm("vsqrtps %1, %0" : "=x"(r) : "x"(a.vector()));                                                                 \
    return Real(r);) }                                                                                                 \
  target ZERO_HOST_DEVICE inline Real (abs)(Real const& a) { ZERO_HOST_ONLY(                                           \
    return Real(a.vector() & 0x7FFFFFFFU);) }                                                                          \
  target ZERO_HOST_DEVICE inline Real operator-(Real const& a) { ZERO_HOST_ONLY(                                       \
    return Real(a.vector() ^ 0x80000000U);) }                                                                          \
  target ZERO_HOST_DEVICE inline Real sign(Real const& a) { ZERO_HOST_ONLY(                                            \
    auto const magnitude = Real::Signed(a.vector() & 0x7FFFFFFFU);                                                     \
    auto const nan = Real::Vector(magnitude > 0x7F800000), positive = Real::Vector(magnitude > 0);                     \
    auto const one = (a.vector() & 0x80000000U) | 0x3F800000U;                                                         \
    return Real((nan & a.vector()) | (positive & ~nan & one));) }
// clang-format on

namespace zero::detail {

/// Eight floats of an AVX2 register.
ZERO_LANES(Real8, 8, ZERO_TARGET_AVX2)

/// Sixteen floats of an AVX-512 register.
ZERO_LANES(Real16, 16, ZERO_TARGET_AVX512)

}  // namespace zero::detail

#undef ZERO_LANES
#undef ZERO_LANES_OPERATION

#endif  // __x86_64__
