// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>

namespace zero::detail {

/// A polynomial hash of a sequence of calls, modulo 2^64: equal for equal sequences, in whatever pieces they were put
/// together, so that a recorded part counts as if its calls were made again.
class CallHistory {
 public:
  /// Takes in one more call, by a hash of its own.
  void add(std::uint64_t call) noexcept {
    value_ = value_ * base + call;
    power_ *= base;
  }
  /// Takes in all calls of \p later.
  void append(CallHistory const& later) noexcept {
    value_ = value_ * later.power_ + later.value_;
    power_ *= later.power_;
  }
  [[nodiscard]] std::uint64_t value() const noexcept { return value_; }

 private:
  // A multiplier of Steele and Vigna, 2022. Odd, so that no call is ever shifted out.
  static constexpr std::uint64_t base = 0xD1342543DE82EF95U;

  std::uint64_t value_ = 0;
  std::uint64_t power_ = 1;
};

}  // namespace zero::detail
