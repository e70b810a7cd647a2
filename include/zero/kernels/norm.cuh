// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/norm_block.hpp>
#include <zero/kernels/detail/scalar.hpp>
#include <zero/kernels/detail/segments.cuh>
#include <zero/kernels/exact_sum.hpp>
#include <zero/kernels/float_types.hpp>
#include <zero/kernels/launch.cuh>
#include <zero/kernels/norm_words.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Arguments of the sum of squares of the segments of a slice.
template <class Sum>
struct Squares {
  Sum const* slice;         ///< this rank's slice of one bucket
  DeviceSegments segments;  ///< the parameters in it
  NormWords norm;           ///< where the squares are added
};

/// Norm blocks of one warp at a time. Eight sums, spread over the lanes, cost nine exchanges instead of forty.
inline constexpr unsigned warp_norm_blocks = 8;
inline constexpr std::size_t squares_norm_blocks = std::size_t{warp_norm_blocks} * block_warps;

using Word = unsigned long long;  // what atomicAdd takes

/// Adds numbers to four neighbouring digits of an exact sum in registers; others are handed on.
class DigitWindow {
 public:
  /// Adds \p x; \p digits are those of the whole sum, for what does not fit.
  __device__ void add(double x, Word* digits) {
    auto const term = ExactSum::split(x);
    if (term.digit - base_ > 1) {  // unsigned: below the window, too
      flush(digits);
      base_ = term.digit;
    }
    bool const upper = term.digit != base_;
#pragma unroll
    for (unsigned i = 0; i < 3; ++i) {
      digits_[i] += upper ? 0 : term.parts[i];
      digits_[i + 1] += upper ? term.parts[i] : 0;
    }
  }
  /// Adds all that was collected to \p digits.
  __device__ void flush(Word* digits) {
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      if (digits_[i] != 0) atomicAdd(digits + base_ + i, static_cast<Word>(digits_[i]));
      digits_[i] = 0;
    }
  }

 private:
  std::uint32_t base_ = 0;
  std::uint64_t digits_[4] = {};
};

// The tree of detail/norm_block.hpp over 128 elements, of which a lane has elements l, l + 32, l + 64 and l + 96,
// given as the bits of floats: its first two levels. A square is exact in double, so that it may be fused with the
// addition.
[[nodiscard]] __device__ inline double sum_of_four(std::uint32_t const (&x)[4]) {
  double wide[4];
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) wide[i] = zero::detail::bit_cast<double>(zero::detail::f64_from_f32(x[i]));
  double const even = __fma_rn(wide[2], wide[2], __dmul_rn(wide[0], wide[0]));
  double const odd = __fma_rn(wide[3], wide[3], __dmul_rn(wide[1], wide[1]));
  return __dadd_rn(even, odd);
}

inline constexpr unsigned all_lanes = 0xFFFFFFFFU;

// One level for 2 x half sums: a lane keeps half of them, and gives the other half to the lane that adds those.
template <unsigned half>
__device__ inline void exchange_halves(double (&sums)[warp_norm_blocks], unsigned lane) {
  bool const upper = (lane & half * 4) != 0;
#pragma unroll
  for (unsigned i = 0; i < half; ++i) {
    double const low = sums[i], high = sums[i + half];  // values: a choice of addresses would not stay in registers
    double const sent = upper ? low : high;
    sums[i] = __dadd_rn(upper ? high : low, __shfl_xor_sync(all_lanes, sent, half * 4));
  }
}

/// The other five levels, over lanes l ^ 16 to l ^ 1, for the sums of eight norm blocks: lane l returns that of
/// norm block l / 4.
[[nodiscard]] __device__ inline double finish_trees(double (&sums)[warp_norm_blocks], unsigned lane) {
  exchange_halves<4>(sums, lane);
  exchange_halves<2>(sums, lane);
  exchange_halves<1>(sums, lane);
  double const pairs = __dadd_rn(sums[0], __shfl_xor_sync(all_lanes, sums[0], 2));
  return __dadd_rn(pairs, __shfl_xor_sync(all_lanes, pairs, 1));
}

// The first registered parameter counts; 0 is none.
__device__ inline void record_nonfinite(NormWords const& norm, std::uint32_t parameter) {
  auto* const entry = reinterpret_cast<Word*>(norm.words + ExactSum::words + norm.rank);
  Word const mine = parameter + Word{1};
  Word seen = *entry;
  while (seen == 0 || seen > mine) {
    Word const before = atomicCAS(entry, seen, mine);
    if (before == seen) return;
    seen = before;
  }
}

// Bit j of \p bad: this lane has seen a number that is not finite in norm block j, whose parameter lane 4 j knows.
__device__ inline void record_all_nonfinite(NormWords const& norm, std::uint32_t bad, std::uint32_t parameter,
                                            unsigned lane) {
  for (unsigned j = 0; j < warp_norm_blocks; ++j) {
    bool const any = __any_sync(all_lanes, (bad >> j & 1) != 0) != 0;
    if (any && lane == j * 4) record_nonfinite(norm, parameter);
  }
}

// What a block has added up, carried over, so that the sums of any number of blocks fit their words.
__device__ inline void publish(NormWords const& norm, Word* digits) {
  __syncthreads();
  if (threadIdx.x == 0) {
    for (unsigned k = 0; k + 1 < ExactSum::words; ++k) {
      digits[k + 1] += digits[k] >> 32;
      digits[k] &= 0xFFFFFFFFU;
    }
  }
  __syncthreads();
  if (threadIdx.x < ExactSum::words && digits[threadIdx.x] != 0) {
    atomicAdd(reinterpret_cast<Word*>(norm.words) + threadIdx.x, digits[threadIdx.x]);
  }
}

/// The sums of eight norm blocks that lie inside one segment: lane l returns that of norm block l / 4. All loads come
/// first, so that they are under way together. A number that is not finite makes its norm block's sum not finite.
template <class Sum>
[[nodiscard]] __device__ inline double sum_inside(Sum const* g, unsigned lane) {
  std::uint32_t bits[warp_norm_blocks][4];
#pragma unroll
  for (unsigned j = 0; j < warp_norm_blocks; ++j) {
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) bits[j][i] = zero::detail::widen_bits(g[j * norm_block + i * warp_size + lane]);
  }
  double sums[warp_norm_blocks];
#pragma unroll
  for (unsigned j = 0; j < warp_norm_blocks; ++j) sums[j] = sum_of_four(bits[j]);
  return finish_trees(sums, lane);
}

/// The same of norm blocks that may be of several segments, short, padding, or not finite: what is not there or not
/// finite counts as zero. Enters what is not finite.
template <class Sum>
[[nodiscard]] __device__ inline double sum_anywhere(Squares<Sum> const& a, std::uint64_t first, unsigned lane) {
  // Lane l looks up norm block l / 4.
  std::uint64_t const x = (first + lane / 4) * norm_block;
  bool const inside = first + lane / 4 < a.segments.norm_blocks;
  Segment const segment = a.segments.segments[inside ? a.segments.find(x) : 0];
  unsigned const elements = inside ? elements_of(segment, x) : 0;
  double sums[warp_norm_blocks];
  std::uint32_t bad = 0;
#pragma unroll
  for (unsigned j = 0; j < warp_norm_blocks; ++j) {
    unsigned const there = __shfl_sync(all_lanes, elements, j * 4);
    std::uint32_t bits[4];
#pragma unroll
    for (unsigned i = 0; i < 4; ++i) {
      unsigned const at = i * warp_size + lane;
      bits[i] = at < there ? zero::detail::widen_bits(a.slice[(first + j) * norm_block + at]) : 0;
      if ((bits[i] & 0x7F800000U) == 0x7F800000U) {
        bits[i] = 0;
        bad |= 1U << j;
      }
    }
    sums[j] = sum_of_four(bits);
  }
  if (__any_sync(all_lanes, bad != 0)) record_all_nonfinite(a.norm, bad, segment.parameter, lane);
  return finish_trees(sums, lane);
}

[[nodiscard]] __device__ inline bool is_finite(double x) {
  constexpr std::uint64_t exponent = std::uint64_t{0x7FF} << 52;
  return (zero::detail::bit_cast<std::uint64_t>(x) & exponent) != exponent;
}

/// Each block takes neighbouring batches of norm blocks, so that a warp seldom meets another segment.
template <class Sum>
ZERO_KERNEL(block_threads)
squares(Squares<Sum> const a) {
  __shared__ Word digits[ExactSum::words];
  if (threadIdx.x < ExactSum::words) digits[threadIdx.x] = 0;
  __syncthreads();
  unsigned const lane = threadIdx.x % warp_size;
  std::uint64_t const batches = (a.segments.norm_blocks + warp_norm_blocks - 1) / warp_norm_blocks;
  std::uint64_t const end = batches * (blockIdx.x + 1) / gridDim.x;
  std::uint64_t begin_of_segment = 0, end_of_segment = 0;
  DigitWindow window;
  for (std::uint64_t batch = batches * blockIdx.x / gridDim.x + threadIdx.x / warp_size; batch < end;
       batch += block_warps) {
    std::uint64_t const first = batch * warp_norm_blocks, x = first * norm_block;
    constexpr std::uint64_t elements = warp_norm_blocks * norm_block;
    if (x < begin_of_segment || x + elements > end_of_segment) {
      Segment const& segment = a.segments.segments[a.segments.find(x)];
      begin_of_segment = segment.offset;
      end_of_segment = segment.offset + segment.count;
    }
    bool const inside = x >= begin_of_segment && x + elements <= end_of_segment;
    double sum = inside ? sum_inside(a.slice + x, lane) : 0.0;
    if (!inside || __any_sync(all_lanes, !is_finite(sum))) sum = sum_anywhere(a, first, lane);
    if (lane % 4 == 0) window.add(sum, digits);
  }
  window.flush(digits);
  publish(a.norm, digits);
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
