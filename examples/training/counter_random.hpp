// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/split_mix.hpp>

#include <cstdint>

namespace training {

/// A counter-based generator: the n-th number of a stream is a function of (key, n), so nothing is carried from call to
/// call, and any number can be had without those before it. It is SplitMix64's, whose state is such a counter.
class CounterRandom {
 public:
  /// \p key names the stream; equal keys give equal numbers.
  explicit constexpr CounterRandom(std::uint64_t key) noexcept : key_(zero::SplitMix64::mix(key)) {}

  /// The stream of this stream named by \p part: keys of several parts are built one after the other.
  [[nodiscard]] constexpr CounterRandom with(std::uint64_t part) const noexcept { return CounterRandom(bits(part)); }

  /// 64 uniform bits.
  [[nodiscard]] constexpr std::uint64_t bits(std::uint64_t counter) const noexcept {
    return zero::SplitMix64::at(key_, counter);
  }

  /// Uniform in [0, 1), a multiple of 2^-53.
  [[nodiscard]] constexpr double uniform(std::uint64_t counter) const noexcept {
    return static_cast<double>(bits(counter) >> 11) * 0x1p-53;
  }

  /// Uniform in [0, \p bound), by the high half of a product; the bias is below bound / 2^64. 0 when \p bound is 0.
  [[nodiscard]] constexpr std::uint64_t below(std::uint64_t counter, std::uint64_t bound) const noexcept {
    std::uint64_t const x = bits(counter), low = bound & 0xFFFFFFFFU, high = bound >> 32;
    std::uint64_t const middle = (x >> 32) * low + (((x & 0xFFFFFFFFU) * low) >> 32);
    std::uint64_t const other = (x & 0xFFFFFFFFU) * high + (middle & 0xFFFFFFFFU);
    return (x >> 32) * high + (middle >> 32) + (other >> 32);
  }

 private:
  std::uint64_t key_;
};

}  // namespace training
