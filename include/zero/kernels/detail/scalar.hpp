// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/instruction_set.hpp>

#include <cstdint>

// One instruction per floating-point operation, written as such. A bare `a * b + c` is what the flags of a build make
// of it: -O2 contracts it, -ffast-math reassociates it and divides by a reciprocal, and --use_fast_math flushes even
// __fmaf_rn on a device. Operands are the bits of numbers, held in integers: what a compiler may assume of a
// floating-point value (that it is finite, say) it cannot assume of them.
//
// On a host the operations on doubles are volatile: they compute constants, whose order against a FloatingPointGuard
// matters and whose speed does not. The operations on floats run inside drivers, which are ordered as a whole. On a
// device there is no guard.
namespace zero::detail {

using F32 = std::uint32_t;  // the bits of a float
using F64 = std::uint64_t;  // the bits of a double

/// std::bit_cast, which a device may not call.
template <class To, class From>
ZERO_HOST_DEVICE constexpr To bit_cast(From const& from) {
  return __builtin_bit_cast(To, from);
}

/// std::countl_zero, likewise; of a number that is not 0.
ZERO_HOST_DEVICE inline int count_leading_zeros(std::uint32_t x) {
#if defined(__CUDA_ARCH__)
  return __clz(static_cast<int>(x));
#else
  return __builtin_clz(x);
#endif
}

// clang-format off
#if defined(__CUDA_ARCH__)
#define ZERO_UNARY(T, order, name, x86, arm, ptx, reg) \
  ZERO_HOST_DEVICE inline T name(T a) { T r; asm(ptx " %0, %1;" : "=" reg(r) : reg(a)); return r; }
#define ZERO_BINARY(T, order, name, x86, arm, ptx, reg) \
  ZERO_HOST_DEVICE inline T name(T a, T b) { \
    T r; asm(ptx " %0, %1, %2;" : "=" reg(r) : reg(a), reg(b)); return r; \
  }
#elif defined(__x86_64__)
// In place: some leave the rest of their destination as it is, and would wait for whatever else was there.
#define ZERO_UNARY(T, order, name, x86, arm, ptx, reg) \
  ZERO_HOST_DEVICE inline T name(T a) { asm order(x86 " %0, %0" : "+x"(a)); return a; }
#define ZERO_BINARY(T, order, name, x86, arm, ptx, reg) \
  ZERO_HOST_DEVICE inline T name(T a, T b) { asm order(x86 " %1, %0" : "+x"(a) : "x"(b)); return a; }
#else
#define ZERO_UNARY(T, order, name, x86, arm, ptx, reg) \
  ZERO_HOST_DEVICE inline T name(T a) { T r; asm order(arm : "=w"(r) : "w"(a)); return r; }
#define ZERO_BINARY(T, order, name, x86, arm, ptx, reg) \
  ZERO_HOST_DEVICE inline T name(T a, T b) { T r; asm order(arm : "=w"(r) : "w"(a), "w"(b)); return r; }
#endif

//               order    name       x86-64    AArch64               PTX            its register
ZERO_BINARY(F32,         , f32_add,  "addss",  "fadd %s0, %s1, %s2", "add.rn.f32",  "r")
ZERO_BINARY(F32,         , f32_sub,  "subss",  "fsub %s0, %s1, %s2", "sub.rn.f32",  "r")
ZERO_BINARY(F32,         , f32_mul,  "mulss",  "fmul %s0, %s1, %s2", "mul.rn.f32",  "r")
ZERO_BINARY(F32,         , f32_div,  "divss",  "fdiv %s0, %s1, %s2", "div.rn.f32",  "r")
ZERO_UNARY( F32,         , f32_sqrt, "sqrtss", "fsqrt %s0, %s1",     "sqrt.rn.f32", "r")
ZERO_BINARY(F64, volatile, f64_add,  "addsd",  "fadd %d0, %d1, %d2", "add.rn.f64",  "l")
ZERO_BINARY(F64, volatile, f64_sub,  "subsd",  "fsub %d0, %d1, %d2", "sub.rn.f64",  "l")
ZERO_BINARY(F64, volatile, f64_mul,  "mulsd",  "fmul %d0, %d1, %d2", "mul.rn.f64",  "l")
ZERO_BINARY(F64, volatile, f64_div,  "divsd",  "fdiv %d0, %d1, %d2", "div.rn.f64",  "l")
ZERO_UNARY( F64, volatile, f64_sqrt, "sqrtsd", "fsqrt %d0, %d1",     "sqrt.rn.f64", "l")
// clang-format on
#undef ZERO_UNARY
#undef ZERO_BINARY

ZERO_HOST_DEVICE inline F64 f64_from_f32(F32 a) {
  F64 r = a;
#if defined(__CUDA_ARCH__)
  asm("cvt.f64.f32 %0, %1;" : "=l"(r) : "r"(a));
#elif defined(__x86_64__)
  asm("cvtss2sd %0, %0" : "+x"(r));
#else
  asm("fcvt %d0, %s0" : "+w"(r));
#endif
  return r;
}

ZERO_HOST_DEVICE inline F32 f32_from_f64(F64 a) {
#if defined(__CUDA_ARCH__)
  F32 r = 0;
  asm("cvt.rn.f32.f64 %0, %1;" : "=r"(r) : "l"(a));
  return r;
#elif defined(__x86_64__)
  asm volatile("cvtsd2ss %0, %0" : "+x"(a));
  return static_cast<F32>(a);
#else
  asm volatile("fcvt %s0, %d0" : "+w"(a));
  return static_cast<F32>(a);
#endif
}

// a > b ? a : b, as maxss has it: b where either is NaN, and of two zeros the second.
ZERO_HOST_DEVICE inline F32 f32_max(F32 a, F32 b) {
#if defined(__CUDA_ARCH__)
  asm("{ .reg .pred p; setp.gt.f32 p, %0, %1; selp.b32 %0, %0, %1, p; }" : "+r"(a) : "r"(b));
#elif defined(__x86_64__)
  asm("maxss %1, %0" : "+x"(a) : "x"(b));
#else
  asm("fcmp %s0, %s1\n\tfcsel %s0, %s0, %s1, gt" : "+w"(a) : "w"(b) : "cc");
#endif
  return a;
}

/// a · b + c rounded once. The baseline of x86-64 has no instruction for it, and libm is not asked: the product of two
/// floats is exact in double; the sum is rounded to odd there (Boldo and Melquiond, "Emulation of FMA and correctly
/// rounded sums", 2008), after which rounding it to float is as good as rounding the exact value: 53 bits are more than
/// 24 + 2.
ZERO_HOST_DEVICE inline F32 f32_fma(F32 a, F32 b, F32 c) {
#if defined(__CUDA_ARCH__)
  asm("fma.rn.f32 %0, %1, %2, %0;" : "+r"(c) : "r"(a), "r"(b));
  return c;
#elif defined(__x86_64__)
  F64 const product = f64_mul(f64_from_f32(a), f64_from_f32(b)), addend = f64_from_f32(c);
  F64 sum = f64_add(product, addend);
  // Knuth's two-sum: the exact error of the sum.
  F64 const share = f64_sub(sum, product);
  F64 const error = f64_add(f64_sub(product, f64_sub(sum, share)), f64_sub(addend, share));
  // To the odd neighbour, without a branch that would be mispredicted every other time. Infinities stay.
  constexpr F64 exponent = F64{0x7FF} << 52;
  F64 const inexact = static_cast<F64>(error << 1 != 0) & static_cast<F64>((sum & exponent) != exponent);
  F64 const away_from_error = (sum ^ error) >> 63;
  sum += (inexact & ~sum & 1) * (1 - 2 * away_from_error);
  return f32_from_f64(sum);
#else
  asm("fmadd %s0, %s1, %s2, %s0" : "+w"(c) : "w"(a), "w"(b));
  return c;
#endif
}

}  // namespace zero::detail
