// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/detail/launch.cuh>
#include <zero/kernels/detail/vec4.cuh>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Arguments of `cast` on a device.
template <class To, class From>
struct Cast {
  To* to;
  From const* from;
  std::uint64_t count;
  bool by_four;  ///< both arrays are aligned to four elements
};

template <class To, class From>
ZERO_KERNEL(block_threads)
cast(Cast<To, From> const a) {
  std::uint64_t const thread = std::uint64_t{blockIdx.x} * block_threads + threadIdx.x;
  std::uint64_t const fours = a.by_four ? a.count / 4 : 0;
  if (thread < fours) {
    store_four(a.to + thread * 4, load_four(a.from + thread * 4));
  } else if (thread - fours < a.count - fours * 4) {
    std::uint64_t const at = fours * 4 + (thread - fours);
    store_one(a.to + at, load_one(a.from + at));
  }
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
