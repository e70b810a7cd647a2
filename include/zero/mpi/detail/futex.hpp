// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>

namespace zero::detail {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == 4);

/// Sleeps while \p word, which processes share, is \p seen, for \p milliseconds at most; may return earlier for no
/// reason. `std::atomic::wait` sleeps on the process's own futex, which another process does not wake.
inline void sleep_on(std::atomic<std::uint32_t>& word, std::uint32_t seen, int milliseconds) noexcept {
  timespec const time{milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  (void)::syscall(SYS_futex, &word, FUTEX_WAIT, seen, &time, nullptr, 0);
}
/// Wakes all who sleep on \p word, in whatever process.
inline void wake_all(std::atomic<std::uint32_t>& word) noexcept {
  (void)::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace zero::detail
