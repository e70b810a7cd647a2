// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/norm_block.hpp>
#include <zero/kernels/exact_sum.hpp>
#include <zero/kernels/real.hpp>

#include <bit>
#include <cstddef>

namespace zero {

namespace detail {

// Copies a norm block with Inf or NaN, or a short one: what is missing or not finite counts as zero. Returns whether
// all elements are finite.
template <class Sum>
ZERO_DRIVER_BODY bool copy_irregular_norm_block(Sum* to, Sum const* g, std::size_t n) {
  bool finite = true;
  for (std::size_t i = 0; i < norm_block_elements; ++i) {
    bool const regular = i < n && (widen_bits(g[i]) & 0x7F800000U) != 0x7F800000U;
    to[i] = regular ? g[i] : Sum{};
    finite = finite && (regular || i >= n);
  }
  return finite;
}

template <class Real, class Sum>
ZERO_DRIVER_BODY bool add_norm_blocks(ExactSum& into, Sum const* g, std::size_t n) {
  bool finite = true;
  for (std::size_t i = 0; i < n; i += norm_block_elements) {
    Sum copy[norm_block_elements];
    Sum const* norm_block = g + i;
    if (n - i < norm_block_elements || !is_finite_norm_block(Real(), norm_block)) {
      finite = copy_irregular_norm_block(copy, norm_block, n - i) && finite;
      norm_block = copy;
    }
    into.add(std::bit_cast<double>(sum_norm_block(Real(), norm_block)));
  }
  return finite;
}

template <class Sum>
ZERO_DRIVER bool add_squares_baseline(ExactSum& into, Sum const* g, std::size_t n) {
  return add_norm_blocks<Real1>(into, g, n);
}
#if defined(__x86_64__)
template <class Sum>
ZERO_TARGET_AVX2 ZERO_DRIVER bool add_squares_avx2(ExactSum& into, Sum const* g, std::size_t n) {
  return add_norm_blocks<detail::Real8>(into, g, n);
}
template <class Sum>
ZERO_TARGET_AVX512 ZERO_DRIVER bool add_squares_avx512(ExactSum& into, Sum const* g, std::size_t n) {
  return add_norm_blocks<detail::Real16>(into, g, n);
}
#endif

}  // namespace detail

/// Adds the squares of \p n elements (float or bfloat16) to \p into, and leaves it normalized. Norm blocks of
/// `norm_block_elements` elements count from \p g; only the last may be short. The norm blocks of an array may be
/// spread over any number of calls, threads and ranks: the sum is the same, and so are its bits in every instruction
/// set. \returns whether all elements are finite; those that are not add nothing.
template <class Sum>
bool add_squares(InstructionSet set, ExactSum& into, Sum const* g, std::size_t n) {
  FloatingPointGuard const guard;
  ExactSum sum = into;
  bool finite = true;
  switch (set) {
#if defined(__x86_64__)
    case InstructionSet::avx512:
      finite = detail::add_squares_avx512(sum, g, n);
      break;
    case InstructionSet::avx2:
      finite = detail::add_squares_avx2(sum, g, n);
      break;
#endif
    default:
      finite = detail::add_squares_baseline(sum, g, n);
  }
  sum.normalize();
  into = sum;
  return finite;
}

}  // namespace zero
