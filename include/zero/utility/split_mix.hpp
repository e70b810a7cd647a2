// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <cstdint>

namespace zero {

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014): its state is a counter,
/// so number n of a sequence is a function of the seed and of n. Not for secrets.
class SplitMix64 {
 public:
  /// The same numbers for the same seed.
  explicit constexpr SplitMix64(std::uint64_t seed) noexcept : state_(seed) {}

  /// The next 64 uniform bits.
  constexpr std::uint64_t operator()() noexcept { return mix(state_ += increment); }

  /// What call number \p n, counted from 0, of a generator with \p seed returns.
  [[nodiscard]] static constexpr std::uint64_t at(std::uint64_t seed, std::uint64_t n) noexcept {
    return mix(seed + (n + 1) * increment);
  }

  /// The output function, a bijection: every bit of \p z changes about half of the result's.
  [[nodiscard]] static constexpr std::uint64_t mix(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }

 private:
  static constexpr std::uint64_t increment = 0x9E3779B97F4A7C15U;  // 2^64 divided by the golden ratio

  std::uint64_t state_;
};

}  // namespace zero
