// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/adaptive_spin.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace zero::detail {

/// That of every wait for other processes that the calling thread has, in whatever group.
[[nodiscard]] inline AdaptiveSpin<>& spin_for_processes() noexcept {
  thread_local AdaptiveSpin<> spin;
  return spin;
}

/// What is between two looks at something that another rank does: first nothing but the others' turn, then a sleep that
/// grows, since ranks may be more than cores, and a wait may be long.
class Pause {
 public:
  void operator()() {
    constexpr std::chrono::microseconds longest(1000);
    if (turns_.are_left()) return turns_.give();
    std::this_thread::sleep_for(sleep_);
    sleep_ = (std::min)(longest, sleep_ + sleep_ / 8);
  }

 private:
  AdaptiveSpin<>::Turns turns_{spin_for_processes(), 1000};
  std::chrono::microseconds sleep_{50};
};

}  // namespace zero::detail
