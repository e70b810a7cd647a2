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
// The operations on doubles are volatile: they compute constants, whose order against a FloatingPointGuard matters and
// whose speed does not. The operations on floats run inside drivers, which are ordered as a whole.
namespace zero::detail {

using F32 = std::uint32_t;  // the bits of a float
using F64 = std::uint64_t;  // the bits of a double

/// std::bit_cast, which a device may not call.
template <class To, class From>
ZERO_HOST_DEVICE constexpr To bit_cast(From const& from) {
  return __builtin_bit_cast(To, from);
}

// clang-format off
#if defined(__CUDA_ARCH__)

#define ZERO_F32(name, instruction) \
  __host__ __device__ inline F32 name(F32 a, F32 b) { F32 r; asm(instruction " %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); return r; }
#define ZERO_F64(name, instruction) \
  __host__ __device__ inline F64 name(F64 a, F64 b) { F64 r; asm volatile(instruction " %0, %1, %2;" : "=l"(r) : "l"(a), "l"(b)); return r; }
ZERO_F32(f32_add, "add.rn.f32") ZERO_F32(f32_sub, "sub.rn.f32") ZERO_F32(f32_mul, "mul.rn.f32") ZERO_F32(f32_div, "div.rn.f32")
ZERO_F64(f64_add, "add.rn.f64") ZERO_F64(f64_sub, "sub.rn.f64") ZERO_F64(f64_mul, "mul.rn.f64") ZERO_F64(f64_div, "div.rn.f64")
__host__ __device__ inline F32 f32_sqrt(F32 a) { F32 r; asm("sqrt.rn.f32 %0, %1;" : "=r"(r) : "r"(a)); return r; }
__host__ __device__ inline F64 f64_sqrt(F64 a) { F64 r; asm volatile("sqrt.rn.f64 %0, %1;" : "=l"(r) : "l"(a)); return r; }
__host__ __device__ inline F32 f32_from_f64(F64 a) { F32 r; asm volatile("cvt.rn.f32.f64 %0, %1;" : "=r"(r) : "l"(a)); return r; }
__host__ __device__ inline F32 f32_max(F32 a, F32 b) {
  F32 r;
  asm("{ .reg .pred p; setp.gt.f32 p, %1, %2; selp.b32 %0, %1, %2, p; }" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
__host__ __device__ inline F32 f32_fma(F32 a, F32 b, F32 c) {
  F32 r;
  asm("fma.rn.f32 %0, %1, %2, %3;" : "=r"(r) : "r"(a), "r"(b), "r"(c));
  return r;
}

#elif defined(__x86_64__)

#define ZERO_F32(name, instruction) \
  ZERO_HOST_DEVICE inline F32 name(F32 a, F32 b) { asm(instruction " %1, %0" : "+x"(a) : "x"(b)); return a; }
#define ZERO_F64(name, instruction) \
  ZERO_HOST_DEVICE inline F64 name(F64 a, F64 b) { asm volatile(instruction " %1, %0" : "+x"(a) : "x"(b)); return a; }
ZERO_F32(f32_add, "addss") ZERO_F32(f32_sub, "subss") ZERO_F32(f32_mul, "mulss") ZERO_F32(f32_div, "divss") ZERO_F32(f32_max, "maxss")
ZERO_F64(f64_add, "addsd") ZERO_F64(f64_sub, "subsd") ZERO_F64(f64_mul, "mulsd") ZERO_F64(f64_div, "divsd")
ZERO_HOST_DEVICE inline F32 f32_sqrt(F32 a) { F32 r; asm("sqrtss %1, %0" : "=x"(r) : "x"(a)); return r; }
ZERO_HOST_DEVICE inline F64 f64_sqrt(F64 a) { F64 r; asm volatile("sqrtsd %1, %0" : "=x"(r) : "x"(a)); return r; }
ZERO_HOST_DEVICE inline F64 f64_from_f32(F32 a) { F64 r; asm("cvtss2sd %1, %0" : "=x"(r) : "x"(a)); return r; }
ZERO_HOST_DEVICE inline F32 f32_from_f64(F64 a) { F32 r; asm volatile("cvtsd2ss %1, %0" : "=x"(r) : "x"(a)); return r; }

#else

#define ZERO_F32(name, instruction) \
  ZERO_HOST_DEVICE inline F32 name(F32 a, F32 b) { F32 r; asm(instruction " %s0, %s1, %s2" : "=w"(r) : "w"(a), "w"(b)); return r; }
#define ZERO_F64(name, instruction) \
  ZERO_HOST_DEVICE inline F64 name(F64 a, F64 b) { F64 r; asm volatile(instruction " %d0, %d1, %d2" : "=w"(r) : "w"(a), "w"(b)); return r; }
ZERO_F32(f32_add, "fadd") ZERO_F32(f32_sub, "fsub") ZERO_F32(f32_mul, "fmul") ZERO_F32(f32_div, "fdiv")
ZERO_F64(f64_add, "fadd") ZERO_F64(f64_sub, "fsub") ZERO_F64(f64_mul, "fmul") ZERO_F64(f64_div, "fdiv")
ZERO_HOST_DEVICE inline F32 f32_sqrt(F32 a) { F32 r; asm("fsqrt %s0, %s1" : "=w"(r) : "w"(a)); return r; }
ZERO_HOST_DEVICE inline F64 f64_sqrt(F64 a) { F64 r; asm volatile("fsqrt %d0, %d1" : "=w"(r) : "w"(a)); return r; }
ZERO_HOST_DEVICE inline F64 f64_from_f32(F32 a) { F64 r; asm("fcvt %d0, %s1" : "=w"(r) : "w"(a)); return r; }
ZERO_HOST_DEVICE inline F32 f32_from_f64(F64 a) { F32 r; asm volatile("fcvt %s0, %d1" : "=w"(r) : "w"(a)); return r; }
ZERO_HOST_DEVICE inline F32 f32_max(F32 a, F32 b) {
  F32 r;
  asm("fcmp %s1, %s2\n\tfcsel %s0, %s1, %s2, gt" : "=w"(r) : "w"(a), "w"(b) : "cc");
  return r;
}
ZERO_HOST_DEVICE inline F32 f32_fma(F32 a, F32 b, F32 c) {
  F32 r;
  asm("fmadd %s0, %s1, %s2, %s3" : "=w"(r) : "w"(a), "w"(b), "w"(c));
  return r;
}

#endif
#undef ZERO_F32
#undef ZERO_F64
// clang-format on

#if defined(__x86_64__) && !defined(__CUDA_ARCH__)
/// a · b + c rounded once, for CPUs that may lack FMA, without libm. The product of two floats is exact in double; the
/// sum is rounded to odd there (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", 2008), after which
/// rounding it to float is as good as rounding the exact value: 53 bits are more than 24 + 2.
ZERO_HOST_DEVICE inline F32 f32_fma(F32 a, F32 b, F32 c) {
  F64 const product = f64_mul(f64_from_f32(a), f64_from_f32(b)), addend = f64_from_f32(c);
  F64 sum = f64_add(product, addend);
  // Knuth's two-sum: the exact error of the sum.
  F64 const share = f64_sub(sum, product);
  F64 const error = f64_add(f64_sub(product, f64_sub(sum, share)), f64_sub(addend, share));
  constexpr F64 sign = F64{1} << 63, exponent = F64{0x7FF} << 52;
  bool const inexact = (error & ~sign) != 0 && (sum & exponent) != exponent;
  if (inexact && (sum & 1) == 0) sum += ((sum ^ error) & sign) == 0 ? F64{1} : ~F64{0};  // to the odd neighbour
  return f32_from_f64(sum);
}
#endif

}  // namespace zero::detail

namespace zero {

/// A double whose operations round once each, to nearest, in every build: what a rule's `constants` are written in, so
/// that `1.0 - power(beta, step)` is not contracted, nor a division turned into a product. The same bits on host and
/// device. Converts from double; back with `value()`, or to float, rounded once, with `to_float()`.
class Double {
 public:
  ZERO_HOST_DEVICE Double(double value) : bits_(detail::bit_cast<detail::F64>(value)) {}
  [[nodiscard]] ZERO_HOST_DEVICE double value() const { return detail::bit_cast<double>(bits_); }
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

/// The square root, rounded to nearest, without libm.
[[nodiscard]] ZERO_HOST_DEVICE inline double square_root(double x) { return sqrt(Double(x)).value(); }

}  // namespace zero
