// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/detail/vec4.cuh>
#include <zero/kernels/launch.cuh>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Arguments of `cast` on a device.
template <class To, class From>
struct Cast {
  To* to;
  From const* from;
  std::uint64_t count;
  bool by_vec4;  ///< both arrays are aligned to four elements
};

template <class To, class From>
ZERO_KERNEL(block_threads)
cast(Cast<To, From> const a) {
  std::uint64_t const thread = std::uint64_t{blockIdx.x} * block_threads + threadIdx.x;
  std::uint64_t const vec4s = a.by_vec4 ? a.count / 4 : 0;
  if (thread < vec4s) {
    store_vec4(a.to + thread * 4, load_vec4(a.from + thread * 4));
  } else if (thread - vec4s < a.count - vec4s * 4) {
    std::uint64_t const at = vec4s * 4 + (thread - vec4s);
    store_one(a.to + at, load_one(a.from + at));
  }
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
