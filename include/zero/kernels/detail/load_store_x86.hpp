// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/float_types.hpp>
#include <zero/kernels/real.hpp>

#include <cstdint>
#include <cstring>

#if defined(__x86_64__)

// Loads that widen and stores that narrow, a vector at a time; pointers need the alignment of their elements only,
// streaming stores that of the vector that they write. Addresses are always a whole vector away from the end. Bytes are
// copied from and to variables of vector type: GCC splits other copies of 32 bytes in two.

// clang-format off
#define ZERO_VECTOR_MEMORY(Real, target)                                                                               \
  typedef Real::Vector Real##Memory __attribute__((aligned(4), may_alias));                                            \
  typedef Real##Half Real##HalfMemory __attribute__((aligned(2), may_alias));                                          \
                                                                                                                       \
  target inline Real canonical(Real const& a) {                                                                        \
    auto const nan = Real::Vector(Real::Signed(a.vector() & 0x7FFFFFFFU) > 0x7F800000);                                \
    return Real((nan & 0x7FC00000U) | (~nan & a.vector()));                                                            \
  }                                                                                                                    \
  target inline Real round_up_to_even(Real const& a) {                                                                 \
    Real::Vector const x = canonical(a).vector();                                                                      \
    return Real(x + 0x7FFFU + ((x >> 16) & 1U));                                                                       \
  }                                                                                                                    \
  target inline Real round_to(bfloat16, Real const& a) {                                                               \
    return Real(round_up_to_even(a).vector() & 0xFFFF0000U);                                                           \
  }                                                                                                                    \
  target inline Real round_to(float, Real const& a) { return a; }                                                      \
                                                                                                                       \
  target inline void load(Real& r, float const* p) {                                                                   \
    Real::Vector x;                                                                                                    \
    std::memcpy(&x, p, sizeof x);                                                                                      \
    r = Real(x);                                                                                                       \
  }                                                                                                                    \
  target inline void load(Real& r, bfloat16 const* p) {                                                                \
    Real::Vector x;                                                                                                    \
    asm("vpmovzxwd %1, %0" : "=x"(x) : "m"(*reinterpret_cast<Real##HalfMemory const*>(p)));                            \
    r = Real(x << 16);                                                                                                 \
  }                                                                                                                    \
  target inline void load(Real& r, float16 const* p) {                                                                 \
    Real::Vector x;                                                                                                    \
    asm("vcvtph2ps %1, %0" : "=x"(x) : "m"(*reinterpret_cast<Real##HalfMemory const*>(p)));                            \
    r = Real(x);                                                                                                       \
  }                                                                                                                    \
                                                                                                                       \
  target inline void narrow_to(bfloat16, Real##Half& half, Real const& a) {                                            \
    pack(half, Real(round_up_to_even(a).vector() >> 16));                                                              \
  }                                                                                                                    \
  target inline void narrow_to(float16, Real##Half& half, Real const& a) {                                             \
    asm("vcvtps2ph $0, %1, %0" : "=x"(half) : "x"(canonical(a).vector()));                                             \
  }                                                                                                                    \
  target inline void store(float* p, Real const& a) {                                                                  \
    Real::Vector const x = a.vector();                                                                                 \
    std::memcpy(p, &x, sizeof x);                                                                                      \
  }                                                                                                                    \
  template <class Element>                                                                                             \
  target inline void store(Element* p, Real const& a) {                                                                \
    Real##Half half;                                                                                                   \
    narrow_to(Element{}, half, a);                                                                                     \
    std::memcpy(p, &half, sizeof half);                                                                                \
  }                                                                                                                    \
  target inline void store_streaming(float* p, Real const& a) {                                                        \
    asm("vmovntps %1, %0" : "=m"(*reinterpret_cast<Real##Memory*>(p)) : "x"(a.vector()));                              \
  }                                                                                                                    \
  template <class Element>                                                                                             \
  target inline void store_streaming(Element* p, Real const& a) {                                                      \
    Real##Half half;                                                                                                   \
    narrow_to(Element{}, half, a);                                                                                     \
    asm("vmovntdq %1, %0" : "=m"(*reinterpret_cast<Real##HalfMemory*>(p)) : "x"(half));                                \
  }
// clang-format on

namespace zero::detail {

// The low halves of the lanes, side by side; the high halves are zero.
typedef std::uint16_t Real8Half __attribute__((vector_size(16)));
typedef std::uint16_t Real16Half __attribute__((vector_size(32)));

ZERO_TARGET_AVX2 inline void pack(Real8Half& half, Real8 const& a) {
  asm("vextracti128 $1, %1, %x0\n\tvpackusdw %x0, %x1, %x0" : "=&x"(half) : "x"(a.vector()));
}

ZERO_TARGET_AVX512 inline void pack(Real16Half& half, Real16 const& a) {
  asm("vpmovdw %1, %0" : "=x"(half) : "x"(a.vector()));
}

ZERO_VECTOR_MEMORY(Real8, ZERO_TARGET_AVX2)
ZERO_VECTOR_MEMORY(Real16, ZERO_TARGET_AVX512)

}  // namespace zero::detail

#undef ZERO_VECTOR_MEMORY

#endif  // __x86_64__
