// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>

namespace training {

/// When the handler was called first, in milliseconds of the monotonic clock; 0: it was not.
inline std::atomic<std::int64_t> first_stop_signal{0};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);  // a handler may touch nothing else

/// Takes a first signal for a request. A later one ends the process as it would any: but not one that comes within a
/// second, as `timeout`, launchers and schedulers send theirs to a process and to its group. SIGUSR1 never does.
inline void take_stop_signal(int signal) {
  timespec time{};
  (void)::clock_gettime(CLOCK_MONOTONIC, &time);
  std::int64_t const now = std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000 + 1;
  std::int64_t first = 0;
  if (first_stop_signal.compare_exchange_strong(first, now) || signal == SIGUSR1 || now - first < 1000) return;
  (void)std::signal(signal, SIG_DFL);
  (void)std::raise(signal);
}

/// From here on SIGTERM, SIGINT and SIGUSR1 let the step under way end.
inline void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = take_stop_signal;
  action.sa_flags = SA_RESTART;
  for (int const signal : {SIGTERM, SIGINT, SIGUSR1}) ::sigaction(signal, &action, nullptr);
}

[[nodiscard]] inline bool stop_requested() noexcept { return first_stop_signal.load() != 0; }

}  // namespace training
