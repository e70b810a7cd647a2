// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/exact_sum.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>

namespace zero {

/// Elements whose squares are added in one tree of double additions; the trees' results are added exactly. Fixed, and
/// not the layout's alignment: the bits of a norm depend on it.
inline constexpr std::size_t norm_block_elements = 128;

/// The words that decide a step on all ranks, in device memory: the digits of the sum of squares, then
/// one word per rank. The lower half of that is its first parameter with a non-finite gradient (1 + its registration
/// index; 0: none); the upper half is written once all squares have been taken, and is a hash of what every rank must
/// do alike: of the step's settings, and of the collectives so far. Words add up over ranks.
struct NormWords {
  std::uint64_t* words = nullptr;  ///< device memory
  int rank = 0;                    ///< whose entry this rank writes
  int world = 1;                   ///< number of ranks

  /// Unsigned integers for this many ranks.
  [[nodiscard]] static constexpr std::size_t count(int world) noexcept {
    return ExactSum::words + static_cast<std::size_t>(world);
  }
  /// One entry for each rank: 1 + the first parameter with a non-finite gradient, or 0, while squares are taken.
  [[nodiscard]] std::uint64_t* bad_parameters() const noexcept { return words + ExactSum::words; }
  /// The upper half of this rank's entry.
  [[nodiscard]] void* agreement() const noexcept {
    static_assert(std::endian::native == std::endian::little, "zero: hosts and devices must be little-endian");
    return reinterpret_cast<std::byte*>(bad_parameters() + rank) + sizeof(std::uint32_t);
  }
};

}  // namespace zero
