// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/segment.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero {

/// What one collective moves: a range of the flat space, padded to a multiple of world x alignment, of which rank r
/// owns the r-th of `world` equal slices.
struct Bucket {
  std::size_t begin = 0;          ///< first element in the flat space
  std::size_t elements = 0;       ///< with padding
  std::uint32_t block = 0;        ///< index of the block that it lies in
  std::vector<Segment> segments;  ///< parts of parameters in it, by offset
};

/// Where the gradients of a block lie at stages 2 and 3.
enum class GradientSlot : std::uint8_t {
  ring,  ///< in the ring of bucket slots
  own,   ///< in a slot of its own: larger than a bucket, with several contributions, or kept whole at stage 3
  none,  ///< frozen: no gradients
};

/// Neighbouring buckets that must lie in one contiguous segment of memory: one bucket, or all those of a parameter that
/// is larger than a bucket. What stage 3 gathers, and what a gradient slot holds.
struct Block {
  std::size_t begin = 0;           ///< first element in the flat space
  std::size_t elements = 0;        ///< with padding
  std::uint32_t first_bucket = 0;  ///< index of its first bucket
  std::uint32_t bucket_count = 0;  ///< number of its buckets
  int unit = 0;                    ///< of its parameters; 0 where it is whole
  bool whole = true;  ///< every rank keeps all of it between uses: always below stage 3, small parameters at stage 3
  GradientSlot slot = GradientSlot::ring;  ///< where its gradients lie
};

}  // namespace zero
