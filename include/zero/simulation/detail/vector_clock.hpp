// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero::detail::simulation {

/// How much of every thread of control has happened before a point, where streams and hosts are threads of control
/// numbered over all ranks (Fidge and Mattern, 1988). A thread that is not mentioned has not begun.
class VectorClock {
 public:
  [[nodiscard]] std::uint64_t operator[](std::size_t thread) const noexcept {
    return thread < ticks_.size() ? ticks_[thread] : 0;
  }
  /// One more thing has happened on \p thread.
  void tick(std::size_t thread) {
    if (thread >= ticks_.size()) ticks_.resize(thread + 1);
    ++ticks_[thread];
  }
  /// What happened before \p other has happened before this.
  void join(VectorClock const& other) {
    if (ticks_.size() < other.ticks_.size()) ticks_.resize(other.ticks_.size());
    for (std::size_t i = 0; i < other.ticks_.size(); ++i) ticks_[i] = (std::max)(ticks_[i], other.ticks_[i]);
  }

 private:
  std::vector<std::uint64_t> ticks_;
};

}  // namespace zero::detail::simulation
