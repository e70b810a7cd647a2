// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/float_types.hpp>
#include <zero/kernels/launch.cuh>
#include <zero/kernels/real.hpp>

#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Vec4 neighbouring elements, which a thread loads and stores at once: 16 bytes of floats, 8 of 16-bit numbers. The
/// address must be aligned to them.
struct Vec4 {
  Real1 x[4];
};

[[nodiscard]] __device__ inline Real1 real_of(std::uint32_t bits) { return zero::detail::real1(bits); }

__device__ inline Vec4 load_vec4(float const* p) {
  auto const raw = *reinterpret_cast<uint4 const*>(p);
  return {{real_of(raw.x), real_of(raw.y), real_of(raw.z), real_of(raw.w)}};
}
template <class Element>
__device__ inline Vec4 load_vec4(Element const* p) {
  auto const raw = *reinterpret_cast<uint2 const*>(p);
  auto const wide = [](std::uint32_t pair, unsigned shift) {
    return real_of(zero::detail::widen_bits(Element{static_cast<std::uint16_t>(pair >> shift)}));
  };
  return {{wide(raw.x, 0), wide(raw.x, 16), wide(raw.y, 0), wide(raw.y, 16)}};
}

__device__ inline void store_vec4(float* p, Vec4 const& four) {
  *reinterpret_cast<uint4*>(p) = {four.x[0].bits[0], four.x[1].bits[0], four.x[2].bits[0], four.x[3].bits[0]};
}
template <class Element>
__device__ inline void store_vec4(Element* p, Vec4 const& four) {
  auto const pair = [&](unsigned i) {
    std::uint32_t const low = zero::detail::narrow_bits(Element{}, four.x[i].bits[0]).bits;
    std::uint32_t const high = zero::detail::narrow_bits(Element{}, four.x[i + 1].bits[0]).bits;
    return low | high << 16;
  };
  *reinterpret_cast<uint2*>(p) = {pair(0), pair(2)};
}

/// One element.
template <class Element>
[[nodiscard]] __device__ inline Real1 load_one(Element const* p) {
  return real_of(zero::detail::widen_bits(*p));
}
template <class Element>
__device__ inline void store_one(Element* p, Real1 const& x) {
  *p = zero::detail::narrow_bits(Element{}, x.bits[0]);
}

/// The first \p n of four elements.
template <class Element>
__device__ inline void store_some(Element* p, Vec4 const& four, unsigned n) {
#pragma unroll
  for (unsigned i = 0; i < 4; ++i) {
    if (i < n) store_one(p + i, four.x[i]);
  }
}

/// Whether arrays of these elements can be taken four at a time.
template <class Element>
[[nodiscard]] inline bool is_vec4_aligned(Element const* p) {
  return reinterpret_cast<std::uintptr_t>(p) % (4 * sizeof(Element)) == 0;
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
