// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The plain loop's arithmetic: rounding to 16-bit types and an exact sum, written from their definitions. Nothing of
// zero is included.

#include "differential/mutants.hpp"
#include "differential/scenario.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace differential {

/// Rounds to a type of fewer bits, and back.
class Rounding {
 public:
  explicit Rounding(Type type, Mutant mutant = Mutant::none) : type_(type), mutant_(mutant) {}

  [[nodiscard]] float operator()(float x) const {
    if (type_ == Type::fp32 || !std::isfinite(x) || x == 0.0F) return x;
    return type_ == Type::fp16 ? to(x, 11, -24, 65504.0) : to(x, 8, -133, 0x1.FEp127);
  }

 private:
  // The nearest multiple of the last place of x, of which no place lies below 2^lowest.
  [[nodiscard]] float to(float x, int bits, int lowest, double largest) const {
    int const place = std::max(std::ilogb(x) + 1 - bits, lowest);
    double const scaled = std::ldexp(static_cast<double>(x), -place);  // exact
    double const rounded = std::ldexp(to_integer(scaled), place);
    if (mutant_ == Mutant::rounding_flushes_subnormals && std::abs(rounded) < std::ldexp(1.0, lowest + bits - 1)) {
      return std::copysign(0.0F, x);
    }
    if (std::abs(rounded) <= largest) return std::copysign(static_cast<float>(std::abs(rounded)), x);
    if (mutant_ == Mutant::rounding_saturates) return static_cast<float>(std::copysign(largest, rounded));
    return std::copysign(std::numeric_limits<float>::infinity(), x);
  }
  [[nodiscard]] double to_integer(double x) const {
    if (mutant_ == Mutant::rounding_truncates) return std::trunc(x);
    if (mutant_ == Mutant::rounding_ties_away) return std::round(x);
    double const below = std::floor(x), rest = x - below;
    if (rest != 0.5) return rest < 0.5 ? below : below + 1.0;
    return std::fmod(below, 2.0) == 0.0 ? below : below + 1.0;
  }

  Type type_;
  Mutant mutant_;
};

/// A sum of doubles that are multiples of 2^-298 and not negative: a binary number of 704 bits, to be rounded once.
class ExactNumber {
 public:
  void add(double x) {
    while (x > 0.0) {  // a few bits at a time, from the top
      int const exponent = std::ilogb(x);
      int const at = (exponent + lowest) / 32;
      double const unit = std::ldexp(1.0, at * 32 - lowest), digit = std::floor(x / unit);
      add(static_cast<std::size_t>(at), static_cast<std::uint64_t>(digit));
      x -= digit * unit;
    }
  }

  /// The nearest double, ties to even.
  [[nodiscard]] double value() const {
    int top = bits - 1;
    while (top >= 0 && !bit(top)) --top;
    double result = 0.0;
    int const last = std::max(0, top - 52);
    for (int b = top; b >= last; --b) result = result * 2.0 + (bit(b) ? 1.0 : 0.0);
    if (last > 0 && bit(last - 1)) {
      bool above_half = false;
      for (int b = last - 2; b >= 0; --b) above_half = above_half || bit(b);
      if (above_half || bit(last)) result += 1.0;
    }
    return std::ldexp(result, last - lowest);
  }

 private:
  static constexpr int bits = 704, lowest = 320;  // the first bit is worth 2^-320

  [[nodiscard]] bool bit(int b) const { return (digits_[static_cast<std::size_t>(b / 32)] >> (b % 32) & 1) != 0; }
  void add(std::size_t at, std::uint64_t digit) {
    for (; digit != 0; ++at) {
      digit += digits_[at];
      digits_[at] = static_cast<std::uint32_t>(digit);
      digit >>= 32;
    }
  }

  std::array<std::uint32_t, bits / 32> digits_{};
};

}  // namespace differential
