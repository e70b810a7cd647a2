// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/fixed_array.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>  // durations, too: <chrono> itself would bring calendars and <sstream>, at 0.1 s
#include <cstddef>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// What all ranks of a process share, whatever groups they are in: the first failure, which ends the waits in every
/// group, and who has left. Groups keep it alive.
class ThreadWorld {
 public:
  /// The first failure of any rank.
  struct Failure {
    CommunicationFailure kind = CommunicationFailure::peer_failed;
    int rank = 0;  ///< in the world's numbering
    std::string reason{};
  };

  ThreadWorld(int size, std::chrono::nanoseconds deadline)
      : has_left_(static_cast<std::size_t>(size)), deadline_(deadline) {}

  [[nodiscard]] int size() const noexcept { return static_cast<int>(has_left_.size()); }
  /// Of every wait.
  [[nodiscard]] std::chrono::nanoseconds deadline() const noexcept { return deadline_; }
  /// Guards the failure, and what groups wait for.
  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }

  /// Ends every wait, now and later. The first failure counts.
  void fail(CommunicationFailure kind, int rank, std::string reason) {
    std::lock_guard const lock(mutex_);
    fail_locked(kind, rank, std::move(reason));
  }
  /// The same for who has locked the mutex.
  void fail_locked(CommunicationFailure kind, int rank, std::string reason) {
    if (!failed_.load()) failure_ = {kind, rank, std::move(reason)};
    failed_.store(true);
    wake_all();
  }
  [[nodiscard]] bool failed() const noexcept { return failed_.load(); }
  /// Once `failed`, for who has locked the mutex.
  [[nodiscard]] Failure const& failure() const noexcept { return failure_; }

  /// Says that \p rank will not come to any further collective.
  void retire(int rank) {
    std::lock_guard const lock(mutex_);
    has_left_[static_cast<std::size_t>(rank)].store(true);
    wake_all();
  }
  [[nodiscard]] bool has_left(int rank) const noexcept { return has_left_[static_cast<std::size_t>(rank)].load(); }

  /// What the ranks of a group sleep on is woken by failures, from here until `remove`.
  void add(std::condition_variable& sleepers) {
    std::lock_guard const lock(mutex_);
    sleepers_.push_back(&sleepers);
  }
  void remove(std::condition_variable& sleepers) noexcept {
    std::lock_guard const lock(mutex_);
    sleepers_.erase(std::find(sleepers_.begin(), sleepers_.end(), &sleepers));
  }

 private:
  void wake_all() noexcept {
    for (auto* const sleepers : sleepers_) sleepers->notify_all();
  }

  FixedArray<std::atomic<bool>> has_left_;
  std::chrono::nanoseconds deadline_;
  std::mutex mutex_;
  std::atomic<bool> failed_{false};
  Failure failure_;
  std::vector<std::condition_variable*> sleepers_;
};

}  // namespace zero::detail
