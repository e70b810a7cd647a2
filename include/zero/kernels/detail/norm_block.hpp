// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/detail/load_store.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/kernels/real.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

static_assert(norm_block_elements % vector_block == 0);

// The tree of a norm block: squares x² (exact in double), element i with element i + 64, then i with i + 32, down to 0
// with 1. Vectors of any width do it in halves of the norm block, then of the vector. Because a square is exact, it
// does not matter whether it is fused with the addition.

/// The sum of the squares of a norm block, one element at a time.
template <class Sum>
inline F64 sum_norm_block(Real1 const&, Sum const* g) {
  F64 squares[norm_block_elements];
  for (std::size_t i = 0; i < norm_block_elements; ++i) {
    Real1 x;
    load(x, g + i);
    F64 const wide = f64_from_f32(x.bits[0]);
    squares[i] = f64_mul(wide, wide);
  }
  for (std::size_t half = norm_block_elements / 2; half != 0; half /= 2) {
    for (std::size_t i = 0; i < half; ++i) squares[i] = f64_add(squares[i], squares[i + half]);
  }
  return squares[0];
}

// Adding the lowest exponent bit to a magnitude reaches the sign bit where the exponent is all ones: Inf or NaN.
template <class Sum>
inline bool is_finite_norm_block(Real1 const&, Sum const* g) {
  std::uint32_t carries = 0;
  for (std::size_t i = 0; i < norm_block_elements; ++i) carries |= (widen_bits(g[i]) & 0x7FFFFFFFU) + 0x00800000U;
  return carries >> 31 == 0;
}

}  // namespace zero::detail

#include <zero/kernels/detail/norm_block_x86.hpp>
