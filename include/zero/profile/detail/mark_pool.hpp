// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/fixed_array.hpp>

#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// Places in streams whose times are taken. As many as there is room for; a place is used again once nobody needs it.
template <class TimedEvent>
class MarkPool {
 public:
  static constexpr std::uint32_t none = UINT32_MAX;

  explicit MarkPool(std::size_t size) : marks_(size), free_(size), free_count_(size) {
    // The first ones are taken first: events are made when they are first recorded.
    for (std::size_t i = 0; i < size; ++i) free_[i] = static_cast<std::uint32_t>(size - 1 - i);
  }

  /// A place with one user; `none` where all are in use.
  [[nodiscard]] std::uint32_t take() noexcept {
    if (free_count_ == 0) return none;
    auto const mark = free_[--free_count_];
    marks_[mark].users = 1;
    return mark;
  }
  /// One user more.
  void share(std::uint32_t mark) noexcept { ++marks_[mark].users; }
  /// One user less.
  void release(std::uint32_t mark) noexcept {
    if (--marks_[mark].users == 0) free_[free_count_++] = mark;
  }
  [[nodiscard]] TimedEvent& operator[](std::uint32_t mark) noexcept { return marks_[mark].event; }
  [[nodiscard]] std::size_t free_count() const noexcept { return free_count_; }

 private:
  struct Mark {
    TimedEvent event{};
    std::uint32_t users = 0;
  };

  FixedArray<Mark> marks_;
  FixedArray<std::uint32_t> free_;
  std::size_t free_count_;
};

}  // namespace zero::detail
