// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/profile/span.hpp>
#include <zero/profile/step_breakdown.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace zero::detail {

/// Breakdowns of steps that have ended and that nobody has taken yet, the latest ones, and of the one that spans are
/// added to.
class StepHistory {
 public:
  /// With room for \p size steps.
  explicit StepHistory(std::size_t size) : finished_(size) {}

  void add(profile::Span const& span) { current_.add(span); }
  /// The step that spans were added to has ended, without \p dropped of them. The oldest one goes where there is no
  /// room.
  void finish(std::uint64_t dropped) {
    current_.steps = 1;
    current_.dropped = dropped;
    if (end_ - first_ == finished_.size()) ++first_;
    finished_[end_++ % finished_.size()] = std::exchange(current_, {});
  }
  /// It counts for nothing.
  void discard() { current_ = {}; }
  /// The oldest one; nothing where there is none.
  [[nodiscard]] std::optional<profile::StepBreakdown> take() {
    if (first_ == end_) return std::nullopt;
    return finished_[first_++ % finished_.size()];
  }

 private:
  profile::StepBreakdown current_;
  std::vector<profile::StepBreakdown> finished_;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace zero::detail
