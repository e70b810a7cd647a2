// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/kernels/detail/norm_block.hpp>
#include <zero/kernels/detail/search.cuh>
#include <zero/kernels/launch.cuh>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Elements that one warp takes at a time. Layouts start every segment on a multiple of it, so that a norm block
/// belongs to one segment, or is padding.
inline constexpr unsigned norm_block = zero::norm_block_elements;
/// Granules that one block takes at a time: enough to pay for finding their segments.
inline constexpr unsigned tile_norm_blocks = 64;

/// Where a kernel finds what lies in its range.
struct DeviceSegments {
  Segment const* segments;
  std::uint32_t count;
  std::uint64_t norm_blocks;  ///< up to the end of the last segment

  explicit DeviceSegments(SegmentView const& view)
      : segments(view.device),
        count(static_cast<std::uint32_t>(view.host.size())),
        norm_blocks(divide_up(view.extent(), norm_block)) {}

  [[nodiscard]] std::size_t tiles() const { return divide_up(norm_blocks, tile_norm_blocks); }

  /// The last segment that starts at element \p x or before it; the first where none does.
  [[nodiscard]] __device__ std::uint32_t find(std::uint64_t x) const {
    return last_starting_by(count, [&](std::uint32_t i) { return segments[i].offset <= x; });
  }
};

/// How many of the elements of the norm block that starts at \p x are of \p segment.
[[nodiscard]] __device__ inline unsigned elements_of(Segment const& segment, std::uint64_t x) {
  std::uint64_t const end = segment.offset + segment.count;
  if (x < segment.offset || x >= end) return 0;
  return end - x < norm_block ? static_cast<unsigned>(end - x) : norm_block;
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
