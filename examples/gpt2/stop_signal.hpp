// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <atomic>
#include <csignal>

namespace gpt2 {

/// What the handler sets.
inline std::atomic<bool> stop_signal_came{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a handler may touch nothing else

/// From here on SIGTERM and SIGINT let the step under way end, and a second one ends the process at once. SIGUSR1,
/// which launchers hand on, some of them twice, never does.
inline void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_signal_came.store(true); };
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGUSR1, &action, nullptr);
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (int const signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);
}

[[nodiscard]] inline bool stop_requested() noexcept { return stop_signal_came.load(); }

}  // namespace gpt2
