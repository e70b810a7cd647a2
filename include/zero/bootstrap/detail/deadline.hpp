// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace zero::detail {

/// The moment at which a wait ends.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(std::chrono::nanoseconds from_now) : at_(Clock::now()) {
    // A deadline beyond the clock's range is as far away as it goes.
    auto const most = (Clock::time_point::max)() - at_;
    at_ += (std::min)(std::chrono::duration_cast<Clock::duration>(from_now), most);
  }
  [[nodiscard]] bool passed() const { return Clock::now() >= at_; }
  [[nodiscard]] Clock::time_point at() const noexcept { return at_; }
  /// For poll(2): what is left, rounded up, but no longer than \p most; 0 when it has passed.
  [[nodiscard]] int milliseconds(int most) const {
    auto const left = at_ - Clock::now();
    if (left <= Clock::duration::zero()) return 0;
    auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::min<std::int64_t>(ms, most - 1)) + 1;
  }

 private:
  Clock::time_point at_;
};

[[nodiscard]] inline std::int64_t milliseconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

}  // namespace zero::detail
