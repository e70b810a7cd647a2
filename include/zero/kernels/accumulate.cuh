// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/vec4.cuh>
#include <zero/kernels/launch.cuh>
#include <zero/kernels/real.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Most arrays that one launch adds: all of them are parameters of the kernel.
inline constexpr std::size_t max_sources = 256;

/// Arguments of `accumulate` on a device, for up to \p capacity sources.
template <class Sum, class Element, std::size_t capacity>
struct Accumulate {
  Sum* into;                         ///< the sums
  Element const* sources[capacity];  ///< device memory, one array for each addend
  std::uint32_t source_count;        ///< addends
  std::uint64_t count;               ///< elements
  bool first;                        ///< the first addend is copied
  bool by_vec4;                      ///< all arrays are aligned to four elements
};

template <class Sum>
[[nodiscard]] __device__ inline Real1 rounded(Real1 const& x) {
  return real_of(zero::detail::widen_bits(zero::detail::narrow_bits(Sum{}, x.bits[0])));
}

template <class Sum, class Element, std::size_t capacity>
__device__ inline void accumulate_vec4(Accumulate<Sum, Element, capacity> const& a, std::uint64_t at) {
  Vec4 sum = load_vec4(a.sources[0] + at);
  if (!a.first) {
    Vec4 const before = load_vec4(a.into + at);
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) sum.x[i] = before.x[i] + sum.x[i];
  }
  for (std::uint32_t q = 1; q < a.source_count; ++q) {
    Vec4 const addend = load_vec4(a.sources[q] + at);
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) sum.x[i] = rounded<Sum>(sum.x[i]) + addend.x[i];
  }
  store_vec4(a.into + at, sum);
}

template <class Sum, class Element, std::size_t capacity>
__device__ inline void accumulate_one(Accumulate<Sum, Element, capacity> const& a, std::uint64_t at) {
  Real1 sum = load_one(a.sources[0] + at);
  if (!a.first) sum = load_one(a.into + at) + sum;
  for (std::uint32_t q = 1; q < a.source_count; ++q) sum = rounded<Sum>(sum) + load_one(a.sources[q] + at);
  store_one(a.into + at, sum);
}

template <class Sum, class Element, std::size_t capacity>
ZERO_KERNEL(block_threads)
accumulate(__grid_constant__ Accumulate<Sum, Element, capacity> const a) {
  std::uint64_t const thread = std::uint64_t{blockIdx.x} * block_threads + threadIdx.x;
  std::uint64_t const vec4s = a.by_vec4 ? a.count / 4 : 0;
  if (thread < vec4s) {
    accumulate_vec4(a, thread * 4);
  } else if (thread - vec4s < a.count - vec4s * 4) {
    accumulate_one(a, vec4s * 4 + (thread - vec4s));
  }
}

/// The same sums as `zero::accumulate`, source after source.
template <std::size_t capacity, class Sum, class Element>
void launch_accumulate(Sum* into, Element const* const* sources, std::size_t source_count, std::size_t n, bool first,
                       CudaStream stream) {
  Accumulate<Sum, Element, capacity> a{.into = into,
                                       .sources = {},
                                       .source_count = static_cast<std::uint32_t>(source_count),
                                       .count = n,
                                       .first = first,
                                       .by_vec4 = is_vec4_aligned(into)};
  for (std::size_t q = 0; q < source_count; ++q) {
    a.sources[q] = sources[q];
    a.by_vec4 = a.by_vec4 && is_vec4_aligned(sources[q]);
  }
  std::size_t const vec4s = a.by_vec4 ? n / 4 : 0;
  launch(accumulate<Sum, Element, capacity>, divide_up(vec4s + (n - vec4s * 4), block_threads), a, stream,
         "the accumulate kernel");
}

/// Arguments of the sum of the words of several ranks.
template <class Word64>
struct SumU64 {
  Word64* into;                        ///< the sums
  Word64 const* sources[max_sources];  ///< device memory, one array for each addend
  std::uint32_t source_count;          ///< addends
  std::uint32_t count;                 ///< elements
};

template <class Word64>
ZERO_KERNEL(block_threads)
sum_u64(__grid_constant__ SumU64<Word64> const a) {
  std::uint32_t const at = blockIdx.x * block_threads + threadIdx.x;
  if (at >= a.count) return;
  Word64 sum = 0;
  for (std::uint32_t q = 0; q < a.source_count; ++q) sum += a.sources[q][at];
  a.into[at] = sum;
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
