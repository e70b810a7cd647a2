// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/kernels/detail/launch.cuh>
#include <zero/kernels/detail/norm_block.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Elements that one warp takes at a time. Layouts start every piece on a multiple of it, so that a granule belongs to
/// one piece, or is padding.
inline constexpr unsigned granule = zero::detail::norm_granule;
/// Granules that one block takes at a time: enough to pay for finding their pieces.
inline constexpr unsigned tile_granules = 64;

/// Where a kernel finds what lies in its range.
struct DevicePieces {
  Piece const* pieces;
  std::uint32_t count;
  std::uint64_t granules;  ///< up to the end of the last piece

  explicit DevicePieces(PieceView const& view)
      : pieces(view.device),
        count(static_cast<std::uint32_t>(view.host.size())),
        granules(divide_up(view.extent(), granule)) {}

  [[nodiscard]] std::size_t tiles() const { return divide_up(granules, tile_granules); }

  /// The last piece that starts at element \p x or before it; the first where none does.
  [[nodiscard]] __device__ std::uint32_t find(std::uint64_t x) const {
    std::uint32_t low = 0, high = count;  // pieces[low] starts at x or before, pieces[high] beyond
    while (high - low > 1) {
      std::uint32_t const middle = low + (high - low) / 2;
      if (pieces[middle].offset <= x) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
};

/// How many of the elements of the granule that starts at \p x are of \p piece.
[[nodiscard]] __device__ inline unsigned elements_of(Piece const& piece, std::uint64_t x) {
  std::uint64_t const end = piece.offset + piece.count;
  if (x < piece.offset || x >= end) return 0;
  return end - x < granule ? static_cast<unsigned>(end - x) : granule;
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
