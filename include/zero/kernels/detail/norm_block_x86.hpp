// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/detail/load_store.hpp>
#include <zero/kernels/detail/norm_block.hpp>
#include <zero/kernels/real.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)

namespace zero::detail {

typedef std::uint64_t Doubles2 __attribute__((vector_size(16)));
typedef std::uint64_t Doubles4 __attribute__((vector_size(32)));
typedef std::uint64_t Doubles8 __attribute__((vector_size(64)));

// Eight partial sums of squares. Of memory class, as the vectors of floats are; two registers of AVX2, one of AVX-512.
struct SquaresAvx2 {
  ZERO_TARGET_AVX2 void set(Real8 const& a, Real8 const& b) {
    Doubles4 low, high, x, y;
    asm("vcvtps2pd %x1, %0" : "=x"(low) : "x"(a.vector()));
    asm("vcvtps2pd %x1, %0" : "=x"(x) : "x"(b.vector()));
    asm("vextracti128 $1, %1, %x0\n\tvcvtps2pd %x0, %0" : "=x"(high) : "x"(a.vector()));
    asm("vextracti128 $1, %1, %x0\n\tvcvtps2pd %x0, %0" : "=x"(y) : "x"(b.vector()));
    asm("vmulpd %0, %0, %0" : "+x"(low));
    asm("vmulpd %0, %0, %0" : "+x"(high));
    asm("vfmadd231pd %1, %1, %0" : "+x"(low) : "x"(x));
    asm("vfmadd231pd %1, %1, %0" : "+x"(high) : "x"(y));
    set(low, high);
  }
  ZERO_TARGET_AVX2 void add(SquaresAvx2 const& other) {
    Doubles4 low = half(0), high = half(1);
    asm("vaddpd %1, %0, %0" : "+x"(low) : "x"(other.half(0)));
    asm("vaddpd %1, %0, %0" : "+x"(high) : "x"(other.half(1)));
    set(low, high);
  }
  ZERO_TARGET_AVX2 __attribute__((flatten)) F64 fold() const {
    Doubles4 four = half(0);
    asm("vaddpd %1, %0, %0" : "+x"(four) : "x"(half(1)));
    return fold_four(four);
  }
  ZERO_TARGET_AVX2 static F64 fold_four(Doubles4 const& four) {
    Doubles2 two, one;
    asm("vextracti128 $1, %1, %0" : "=x"(two) : "x"(four));
    asm("vaddpd %x1, %0, %0" : "+x"(two) : "x"(four));
    asm("vunpckhpd %1, %1, %0\n\tvaddsd %1, %0, %0" : "=&x"(one) : "x"(two));
    return one[0];
  }

  ZERO_TARGET_AVX2 void set(Doubles4 const& low, Doubles4 const& high) {
    std::memcpy(lanes, &low, sizeof low);
    std::memcpy(lanes + 4, &high, sizeof high);
  }
  ZERO_TARGET_AVX2 Doubles4 half(int k) const {
    Doubles4 x;
    std::memcpy(&x, lanes + std::ptrdiff_t{4} * k, sizeof x);
    return x;
  }
  F64 lanes[8];
};

struct SquaresAvx512 {
  ZERO_TARGET_AVX512 void set(Real8 const& a, Real8 const& b) {
    Doubles8 x, y;
    asm("vcvtps2pd %1, %0" : "=x"(x) : "x"(a.vector()));
    asm("vcvtps2pd %1, %0" : "=x"(y) : "x"(b.vector()));
    asm("vmulpd %0, %0, %0" : "+x"(x));
    asm("vfmadd231pd %1, %1, %0" : "+x"(x) : "x"(y));
    std::memcpy(lanes, &x, sizeof x);
  }
  ZERO_TARGET_AVX512 void add(SquaresAvx512 const& other) {
    Doubles8 sum = all();
    asm("vaddpd %1, %0, %0" : "+x"(sum) : "x"(other.all()));
    std::memcpy(lanes, &sum, sizeof sum);
  }
  ZERO_TARGET_AVX512 __attribute__((flatten)) F64 fold() const {
    Doubles4 four;
    asm("vextractf64x4 $1, %1, %0" : "=x"(four) : "x"(all()));
    asm("vaddpd %t1, %0, %0" : "+x"(four) : "x"(all()));
    return SquaresAvx2::fold_four(four);
  }

  ZERO_TARGET_AVX512 Doubles8 all() const {
    Doubles8 x;
    std::memcpy(&x, lanes, sizeof x);
    return x;
  }
  F64 lanes[8];
};

// The part of the tree whose elements lie a multiple of `stride` from g.
template <std::size_t stride, class Squares, class Sum>
ZERO_DRIVER_BODY void add_tree(Squares& sum, Sum const* g) {
  if constexpr (stride == norm_block_elements / 2) {
    Real8 a, b;
    load(a, g);
    load(b, g + stride);
    sum.set(a, b);
  } else {
    Squares other;
    add_tree<2 * stride>(sum, g);
    add_tree<2 * stride>(other, g + stride);
    sum.add(other);
  }
}

template <class Sum>
ZERO_DRIVER_BODY F64 sum_norm_block(Real8 const&, Sum const* g) {
  SquaresAvx2 sum;
  add_tree<8>(sum, g);
  return sum.fold();
}
template <class Sum>
ZERO_DRIVER_BODY F64 sum_norm_block(Real16 const&, Sum const* g) {
  SquaresAvx512 sum;
  add_tree<8>(sum, g);
  return sum.fold();
}

#define ZERO_FINITE_NORM_BLOCK(Real, target)                             \
  template <class Sum>                                                   \
  target inline bool is_finite_norm_block(Real const&, Sum const* g) {   \
    Real::Vector carries = {};                                           \
    for (std::size_t i = 0; i < norm_block_elements; i += Real::width) { \
      Real x;                                                            \
      prefetch_ahead(g + i);                                             \
      load(x, g + i);                                                    \
      carries |= (x.vector() & 0x7FFFFFFFU) + 0x00800000U;               \
    }                                                                    \
    return !any_sign(Real(carries));                                     \
  }

ZERO_TARGET_AVX2 inline bool any_sign(Real8 const& a) {
  int mask = 0;
  asm("vmovmskps %1, %0" : "=r"(mask) : "x"(a.vector()));
  return mask != 0;
}
ZERO_TARGET_AVX512 inline bool any_sign(Real16 const& a) {
  unsigned mask = 0;
  asm("vpmovd2m %1, %%k1\n\tkmovw %%k1, %0" : "=r"(mask) : "x"(a.vector()) : "k1");
  return mask != 0;
}
ZERO_FINITE_NORM_BLOCK(Real8, ZERO_TARGET_AVX2)
ZERO_FINITE_NORM_BLOCK(Real16, ZERO_TARGET_AVX512)
#undef ZERO_FINITE_NORM_BLOCK

}  // namespace zero::detail

#endif  // __x86_64__
