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

/// What the short waits of a thread know of its processor. They look again and again, because to sleep and be woken up
/// costs more than most waits of a step take, and yield, since ranks may be more than processors. But where other
/// threads want the processor for long, each turn that is given away costs a slice of milliseconds, and Linux (6.18)
/// counts it as time that the thread has used up. So after a turn of that kind waits sleep at once: 16 at first, twice
/// as many after each further one, and half as many after a spin without one. Of one thread at a time.
///
/// \tparam Processor as ThisProcessor; another one in tests
template <class Processor = ThisProcessor>
class AdaptiveSpin {
 public:
  /// The turns that one wait gives to others.
  class Turns {
   public:
    /// \p most: after which a wait that nothing disturbs sleeps, too.
    Turns(AdaptiveSpin& spin, int most) noexcept
        : spin_(spin), spins_(spin.next_wait_spins()), left_(spins_ ? most : 0) {}
    ~Turns() {
      if (spins_) spin_.note(was_taken_);
    }
    Turns(Turns const&) = delete;
    Turns& operator=(Turns const&) = delete;

    /// \return whether one is left: if not, it is time to sleep.
    [[nodiscard]] bool are_left() const noexcept { return left_ > 0; }
    /// Gives one, which is the last one where another thread keeps the processor for long.
    void give() noexcept {
      auto const begin = Processor::now();
      Processor::yield();
      was_taken_ = Processor::now() - begin > longest_turn;
      left_ = was_taken_ ? 0 : left_ - 1;
    }

   private:
    AdaptiveSpin& spin_;
    bool spins_;
    bool was_taken_ = false;
    int left_;
  };

  /// Looks until \p holds, which throws nothing, or \p most_turns are over.
  /// \return false where it does not hold yet: the caller sleeps until it does.
  template <class Condition>
  [[nodiscard]] bool wait(Condition const& holds, int most_turns = 128) noexcept {
    if (holds()) return true;
    Turns turns(*this, most_turns);
    if (!turns.are_left()) return false;
    while (turns.are_left()) {
      for (int look = 0; look < looks_per_turn; ++look) {
        if (holds()) return true;
      }
      turns.give();
    }
    return holds();
  }

 private:
  static constexpr std::chrono::microseconds longest_turn{500};
  static constexpr int looks_per_turn = 32, fewest_sleeps = 16, most_sleeps = 1024;

  [[nodiscard]] bool next_wait_spins() noexcept {
    if (sleeps_left_ == 0) return true;
    --sleeps_left_;
    return false;
  }
  void note(bool was_taken) noexcept {
    if (was_taken) sleeps_left_ = sleeps_;
    sleeps_ = was_taken ? (std::min)(2 * sleeps_, most_sleeps) : (std::max)(sleeps_ / 2, fewest_sleeps);
  }

  int sleeps_left_ = 0;         ///< waits that do not spin
  int sleeps_ = fewest_sleeps;  ///< after the next turn that is too long
};

}  // namespace zero::detail
