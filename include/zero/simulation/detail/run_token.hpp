// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

namespace zero::detail::simulation {

/// Lets one of several threads run at a time: the one that holds the run token.
class RunToken {
 public:
  explicit RunToken(std::size_t threads) : woken_(threads) {}

  /// Blocks until \p thread is given the run token.
  void await(std::size_t thread) {
    std::unique_lock lock(mutex_);
    woken_[thread].wait(lock, [&] { return holder_ == thread; });
  }
  /// Gives the run token to \p thread. The caller must not touch anything shared until it has it again.
  void give(std::size_t thread) {
    std::lock_guard lock(mutex_);
    holder_ = thread;
    woken_[thread].notify_one();
  }

 private:
  static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
  std::mutex mutex_;
  std::deque<std::condition_variable> woken_;
  std::size_t holder_ = nobody;
};

}  // namespace zero::detail::simulation
