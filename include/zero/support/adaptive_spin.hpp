// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace zero::detail {

/// The processor that a thread runs on, and the time.
struct ThisProcessor {
  using Clock = std::chrono::steady_clock;
  [[nodiscard]] static Clock::time_point now() noexcept { return Clock::now(); }
  /// Lets another thread run, if one waits for the processor.
  static void yield() noexcept { std::this_thread::yield(); }
};

/// A short wait by looking again and again, because to sleep and be woken up costs more than most waits of a step take.
/// It yields, since ranks may be more than processors. But where other threads want the processor for long, each turn
/// that is given away costs a slice of milliseconds, and Linux (6.18) counts it as time that the thread has used up. So
/// after a turn of that kind waits sleep at once: 16 at first, twice as many after each further one, and half as many
/// after a spin without one. Of one thread at a time.
///
/// \tparam Processor as ThisProcessor; another one in tests
template <class Processor = ThisProcessor>
class AdaptiveSpin {
 public:
  /// \p most_turns: after which a wait that nothing disturbs sleeps, too.
  explicit AdaptiveSpin(int most_turns = 128) noexcept : most_turns_(most_turns) {}

  /// Looks until \p holds, which throws nothing, or its turns are over.
  /// \return false where it does not hold yet: the caller sleeps until it does.
  template <class Condition>
  [[nodiscard]] bool wait(Condition const& holds) noexcept {
    if (holds()) return true;
    if (sleeps_left_ > 0) {
      --sleeps_left_;
      return false;
    }
    auto begin = Processor::now();
    for (int turn = 0; turn < most_turns_; ++turn) {
      bool met = false;
      for (int i = 0; i < looks_per_turn && !met; ++i) met = holds();
      if (!met) Processor::yield();
      auto const end = Processor::now();
      bool const was_taken = end - begin > longest_turn;
      if (met || was_taken) {
        note(was_taken);
        return met || holds();
      }
      begin = end;
    }
    return false;
  }

 private:
  static constexpr std::chrono::microseconds longest_turn{500};
  static constexpr int looks_per_turn = 32, fewest_sleeps = 16, most_sleeps = 1024;

  void note(bool was_taken) noexcept {
    if (was_taken) sleeps_left_ = sleeps_;
    sleeps_ = was_taken ? (std::min)(2 * sleeps_, most_sleeps) : (std::max)(sleeps_ / 2, fewest_sleeps);
  }

  int most_turns_;
  int sleeps_left_ = 0;         ///< waits that do not spin
  int sleeps_ = fewest_sleeps;  ///< after the next turn that is too long
};

}  // namespace zero::detail
