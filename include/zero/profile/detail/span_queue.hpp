// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/profile/detail/mark_pool.hpp>
#include <zero/profile/span.hpp>
#include <zero/support/fixed_array.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

namespace zero::detail {

/// Spans whose ends streams may not have come to, in the order in which they began. A chain of spans follows the
/// caller's stream without a gap: each begins where the one before it ends. Errors of events pass through.
template <class Backend>
class SpanQueue {
 public:
  using Stream = typename Backend::Stream;
  using Span = profile::Span;

  static constexpr std::uint64_t none = UINT64_MAX;

  /// With room for \p size spans. An empty \p clock is the steady clock.
  SpanQueue(std::size_t size, std::function<std::int64_t()> clock)
      : clock_(clock ? std::move(clock) : steady_now), entries_(size), marks_(2 * size) {}

  /// What times of streams are measured from, once: waits for \p stream.
  void set_base(Stream stream) {
    if (base_ != Marks::none) return;
    auto const mark = marks_.take();
    marks_[mark].record(stream, clock_);
    base_time_ = marks_[mark].host_time(clock_);
    base_ = mark;
  }
  void set_keeping(bool keeping) noexcept { keeps_ = keeping; }

  /// Ends the chain's span here on \p stream, and goes on with \p next. False without room: the chain's span goes on.
  [[nodiscard]] bool cut(Span const& next, Stream stream) {
    set_base(stream);
    auto const mark = make_room() ? record(stream) : Marks::none;
    if (mark == Marks::none) return false;
    end_chain(mark);
    chain_ = push(next, mark);
    return true;
  }
  /// Begins a span beside the chain. Returns its number; `none` without room.
  [[nodiscard]] std::uint64_t open(Span const& span, Stream stream) {
    set_base(stream);
    auto const mark = make_room() ? record(stream) : Marks::none;
    return mark == Marks::none ? none : push(span, mark);
  }
  /// Ends it. False without room: it does not count then.
  [[nodiscard]] bool close(std::uint64_t span, Stream stream) {
    auto& entry = at(span);
    auto const mark = record(stream);
    entry.is_open = false;
    entry.end = mark;
    if (mark == Marks::none) entry.kind = Kind::nothing;
    return mark != Marks::none;
  }
  /// Ends the chain, and with it a step, of which \p dropped spans had no room.
  void end_step(Stream stream, std::uint64_t dropped) { end_chain(stream, Kind::step, dropped); }
  /// Ends the chain of a step that counts for nothing.
  void discard_step(Stream stream) { end_chain(stream, Kind::discarded, 0); }

  /// Hands on what has run: `take(span, keeps)`, `finish(dropped)` for a step, `forget()` for one that was discarded.
  /// Does not block.
  template <class Take, class Finish, class Forget>
  void collect(Take const& take, Finish const& finish, Forget const& forget) {
    while (first_ != end_) {
      auto& entry = at(first_);
      if (entry.is_open || !marks_[entry.begin].done()) return;
      if (entry.end != Marks::none && !marks_[entry.end].done()) return;
      if (entry.kind == Kind::span) {
        entry.span.begin = time_of(entry.begin);
        entry.span.end = (std::max)(entry.span.begin, time_of(entry.end));
        take(entry.span, entry.keeps);
      } else if (entry.kind == Kind::step) {
        finish(entry.dropped);
      } else if (entry.kind == Kind::discarded) {
        forget();
      }
      bool const ends_step = entry.kind == Kind::step || entry.kind == Kind::discarded;
      if (ends_step) move_base(entry.begin);
      marks_.release(entry.begin);
      if (entry.end != Marks::none) marks_.release(entry.end);
      ++first_;
    }
  }
  /// Blocks the host until streams have come to all that was recorded.
  void wait() {
    for (auto i = first_; i != end_; ++i) {
      auto const& entry = at(i);
      (void)marks_[entry.begin].host_time(clock_);
      if (!entry.is_open && entry.end != Marks::none) (void)marks_[entry.end].host_time(clock_);
    }
  }

 private:
  using Marks = MarkPool<typename Backend::TimedEvent>;

  enum class Kind : std::uint8_t { span, nothing, step, discarded };
  struct Entry {
    Span span{};
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint64_t dropped = 0;
    Kind kind = Kind::span;
    bool is_open = true;
    bool keeps = false;
  };

  static std::int64_t steady_now() {
    auto const now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  }

  [[nodiscard]] Entry& at(std::uint64_t number) noexcept { return entries_[number % entries_.size()]; }
  // The ends of spans that are open, and of a step, always have room: every span takes two marks at most.
  [[nodiscard]] bool make_room() const noexcept {
    return end_ - first_ + 1 < entries_.size() && marks_.free_count() > reserved;
  }
  [[nodiscard]] std::uint32_t record(Stream stream) {
    auto const mark = marks_.take();
    if (mark == Marks::none) return mark;
    try {
      marks_[mark].record(stream, clock_);
    } catch (...) {
      marks_.release(mark);
      throw;
    }
    return mark;
  }
  std::uint64_t push(Span const& span, std::uint32_t begin) noexcept {
    Entry entry;
    entry.span = span;
    entry.begin = begin;
    entry.end = Marks::none;
    entry.keeps = keeps_;
    at(end_) = entry;
    return end_++;
  }
  // Shares `mark`.
  void end_chain(std::uint32_t mark) noexcept {
    if (chain_ == none) return;
    auto& entry = at(std::exchange(chain_, none));
    entry.end = mark;
    entry.is_open = false;
    marks_.share(mark);
  }
  void end_chain(Stream stream, Kind kind, std::uint64_t dropped) {
    auto const mark = record(stream);
    if (mark == Marks::none) return;
    end_chain(mark);
    if (end_ - first_ == entries_.size()) return marks_.release(mark);
    auto const number = push({}, mark);
    at(number).kind = kind;
    at(number).dropped = dropped;
    at(number).is_open = false;
  }

  [[nodiscard]] std::int64_t time_of(std::uint32_t mark) {
    return base_time_ + std::llround(marks_[mark].nanoseconds_since(marks_[base_]));
  }
  // Events measure short times well.
  void move_base(std::uint32_t mark) {
    base_time_ = time_of(mark);
    marks_.share(mark);
    marks_.release(std::exchange(base_, mark));
  }

  static constexpr std::size_t reserved = 16;

  std::function<std::int64_t()> clock_;
  FixedArray<Entry> entries_;
  Marks marks_;
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t chain_ = none;  // the chain's span
  std::uint32_t base_ = Marks::none;
  std::int64_t base_time_ = 0;
  bool keeps_ = false;
};

}  // namespace zero::detail
