// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/launch.cuh>

#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// The last of \p count numbers i with `starts_by(i)`, which holds up to some number and for none beyond; 0 where it
/// holds for none.
template <class StartsBy>
[[nodiscard]] __device__ inline std::uint32_t last_starting_by(std::uint32_t count, StartsBy starts_by) {
  std::uint32_t low = 0, high = count;  // low starts by then, high beyond
  while (high - low > 1) {
    std::uint32_t const middle = low + (high - low) / 2;
    if (starts_by(middle)) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
