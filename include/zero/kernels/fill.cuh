// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/launch.cuh>

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Arguments of the kernel that fills an array.
template <class Bits>
struct Fill {
  Bits* to;             ///< device memory
  std::uint64_t count;  ///< elements
  Bits value;           ///< of each
};

template <class Bits>
ZERO_KERNEL(block_threads)
fill(__grid_constant__ Fill<Bits> const a) {
  std::uint64_t const thread = std::uint64_t{blockIdx.x} * block_threads + threadIdx.x;
  if (thread < a.count) a.to[thread] = a.value;
}

/// Sets \p n floating-point numbers to -0: the sign is the highest bit of each type.
template <class Element>
void launch_fill_negative_zero(Element* to, std::size_t n, CudaStream stream) {
  using Bits = std::conditional_t<sizeof(Element) == 2, std::uint16_t, std::uint32_t>;
  static_assert(sizeof(Element) == sizeof(Bits));
  Bits const sign = Bits{1} << (8 * sizeof(Bits) - 1);
  launch(fill<Bits>, divide_up(n, block_threads), Fill<Bits>{reinterpret_cast<Bits*>(to), n, sign}, stream,
         "the kernel that fills the buckets of ranks without a micro-batch");
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
