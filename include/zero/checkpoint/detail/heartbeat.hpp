// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace zero::detail {

/// Calls a function again and again, on a thread of its own, until it is destroyed. The thread takes no signals, which
/// are for the program's own threads.
class Heartbeat {
 public:
  /// \p beat must not throw.
  Heartbeat(std::chrono::milliseconds interval, std::function<void()> beat) {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      thread_ = std::thread([this, interval, beat = std::move(beat)] {
        std::unique_lock lock(mutex_);
        while (!ended_.wait_for(lock, interval, [this] { return ends_; })) beat();
      });
    } catch (...) {
      ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
      throw;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  Heartbeat(Heartbeat const&) = delete;
  Heartbeat& operator=(Heartbeat const&) = delete;
  ~Heartbeat() {
    {
      std::lock_guard const lock(mutex_);
      ends_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace zero::detail
