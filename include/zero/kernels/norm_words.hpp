// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/exact_sum.hpp>

#include <cstddef>
#include <cstdint>

namespace zero {

/// Elements whose squares are added in one tree of double additions; the trees' results are added exactly. Fixed, and
/// not the layout's alignment: the bits of a norm depend on it.
inline constexpr std::size_t norm_block_elements = 128;

/// The words that decide a step on all ranks, in device memory: the digits of the sum of squares, then
/// one word per rank for its first parameter with a non-finite gradient (1 + its registration index; 0: none). Words
/// add up over ranks.
struct NormWords {
  std::uint64_t* words = nullptr;  ///< device memory
  int rank = 0;                    ///< whose entry this rank writes
  int world = 1;                   ///< number of ranks

  /// Unsigned integers for this many ranks.
  [[nodiscard]] static constexpr std::size_t count(int world) noexcept {
    return ExactSum::words + static_cast<std::size_t>(world);
  }
  /// One entry for each rank: 1 + the first parameter with a non-finite gradient, or 0.
  [[nodiscard]] std::uint64_t* bad_parameters() const noexcept { return words + ExactSum::words; }
};

}  // namespace zero
