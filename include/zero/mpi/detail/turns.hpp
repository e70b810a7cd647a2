// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace zero::detail {

/// Turns of its processor that a wait gives to others before it sleeps: as many as it is allowed, but no further one
/// once another thread has taken one, also inside MPI. Where ranks are more than processors, a rank that only yields
/// keeps those from running that it waits for, and newer versions of Linux count each turn as time that the rank has
/// used up.
class Turns {
 public:
  explicit Turns(int most) noexcept : left_(most) {}

  /// \return false where there is none left: it is time to sleep.
  [[nodiscard]] bool give() noexcept {
    if (left_ <= 0) return false;
    std::this_thread::yield();
    long const switches = switches_so_far();
    bool const is_taken = switches_ >= 0 && switches != switches_;
    switches_ = switches;
    left_ = is_taken ? 0 : left_ - 1;
    return true;
  }

 private:
  // How often the processor has gone from this thread to another one.
  [[nodiscard]] static long switches_so_far() noexcept {
    rusage used{};
    (void)::getrusage(RUSAGE_THREAD, &used);
    return used.ru_nvcsw + used.ru_nivcsw;
  }

  int left_;
  long switches_ = -1;
};

/// What is between two looks at something that another rank does: first nothing but the others' turn, then a sleep that
/// grows, since ranks may be more than cores, and a wait may be long.
class Pause {
 public:
  void operator()() {
    constexpr std::chrono::microseconds longest(1000);
    if (turns_.give()) return;
    std::this_thread::sleep_for(sleep_);
    sleep_ = (std::min)(longest, sleep_ + sleep_ / 8);
  }

 private:
  Turns turns_{1000};
  std::chrono::microseconds sleep_{50};
};

}  // namespace zero::detail
