// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/profile/detail/bounded_stack.hpp>
#include <zero/profile/phase.hpp>

namespace zero::detail {

/// What the caller's stream does in a step: a phase that the engine's calls set, and within it what is nested.
class PhaseStack {
 public:
  struct Level {
    profile::Phase phase = profile::Phase::other;
    bool runs = false;    ///< otherwise the stream only waits
    bool counts = false;  ///< it is on the caller's stream, within a step
  };

  [[nodiscard]] profile::Phase base() const noexcept { return base_; }
  void set_base(profile::Phase phase) noexcept { base_ = phase; }
  void push(Level const& level) noexcept { levels_.push(level); }
  void pop() noexcept { (void)levels_.pop(); }
  /// What counts now.
  [[nodiscard]] Level top() const noexcept {
    auto const* const level = levels_.find_innermost([](Level const& candidate) { return candidate.counts; });
    return level != nullptr ? *level : Level{base_, true, true};
  }
  /// Nothing is nested any more.
  void clear() noexcept { levels_ = {}; }

 private:
  profile::Phase base_ = profile::Phase::data;
  BoundedStack<Level> levels_;
};

}  // namespace zero::detail
