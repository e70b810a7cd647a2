// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/exact_sum.hpp>

#include <cstddef>
#include <cstdint>

namespace zero {

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
