// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/kernels/detail/search.cuh>
#include <zero/kernels/launch.cuh>

#include <cstddef>
#include <cstdint>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// One of the copies of a launch.
struct DeviceCopy {
  void* to;                  ///< first byte to write
  void const* from;          ///< first byte to read
  std::uint64_t bytes;       ///< bytes
  std::uint64_t first_tile;  ///< of this copy, counted over all of them
};

/// Bytes that a block copies at a time.
inline constexpr std::uint64_t copy_tile = 32 * 1024;

/// Up to \p capacity copies, all of them parameters of the kernel: nothing to allocate, to keep or to copy first.
template <std::size_t capacity>
struct CopyMany {
  DeviceCopy copies[capacity];  ///< what one launch copies
  std::uint32_t count;          ///< number of them
};

// From CUDA 12.1 on a kernel takes 32,764 bytes of parameters.
inline constexpr std::size_t few_copies = 32;
#if CUDART_VERSION >= 12010
inline constexpr std::size_t most_copies = 1020;
#else
inline constexpr std::size_t most_copies = 120;
#endif

template <class Unit>
__device__ inline void copy_units(DeviceCopy const& copy, std::uint64_t begin, std::uint64_t end) {
  auto* const to = static_cast<Unit*>(copy.to);
  auto const* const from = static_cast<Unit const*>(copy.from);
  for (std::uint64_t i = begin / sizeof(Unit) + threadIdx.x; i < end / sizeof(Unit); i += block_threads)
    to[i] = from[i];
}

template <std::size_t capacity>
ZERO_KERNEL(block_threads)
copy_many(__grid_constant__ CopyMany<capacity> const a) {
  DeviceCopy const& copy =
      a.copies[last_starting_by(a.count, [&](std::uint32_t i) { return a.copies[i].first_tile <= blockIdx.x; })];
  std::uint64_t const begin = (blockIdx.x - copy.first_tile) * copy_tile;
  std::uint64_t const end = begin + copy_tile < copy.bytes ? begin + copy_tile : copy.bytes;
  auto const addresses = reinterpret_cast<std::uintptr_t>(copy.to) | reinterpret_cast<std::uintptr_t>(copy.from);
  if (addresses % 16 == 0) {
    copy_units<uint4>(copy, begin, end);
    copy_units<std::uint16_t>(copy, end / 16 * 16, end);  // elements have two bytes or four
  } else if (addresses % 4 == 0) {
    copy_units<std::uint32_t>(copy, begin, end);
    copy_units<std::uint16_t>(copy, end / 4 * 4, end);
  } else {
    copy_units<std::uint16_t>(copy, begin, end);
  }
}

template <std::size_t capacity>
void launch_copy_many(CopyRange const* ranges, std::size_t count, CudaStream stream) {
  CopyMany<capacity> a;
  a.count = static_cast<std::uint32_t>(count);
  std::uint64_t tiles = 0;
  for (std::size_t i = 0; i < count; ++i) {
    a.copies[i] = {ranges[i].to, ranges[i].from, ranges[i].bytes, tiles};
    tiles += divide_up(ranges[i].bytes, copy_tile);
  }
  launch(copy_many<capacity>, tiles, a, stream, "the copy kernel");
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
