// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/support/adaptive_spin.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/function_ref.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>
#include <utility>

namespace zero {

/// A fixed set of threads that share the tasks of one parallel loop at a time. The calling thread is one of them, so a
/// pool of one has no threads of its own and runs everything in place.
///
/// The result of a loop must not depend on which thread runs which task: callers split work by its shape alone, never
/// by `size()`, so that the bits of a result are the same for any number of threads.
///
/// Owned by one caller at a time: `parallel_for` is not reentrant and not thread-safe.
class ThreadPool {
 public:
  /// Starts \p threads − 1 workers; values below one mean one.
  ZERO_OUT_OF_LINE explicit ThreadPool(int threads)
      : workers_(threads > 1 ? static_cast<std::size_t>(threads) - 1 : 0) {
    for (auto& worker : workers_) worker = std::thread([this] { work(); });
  }
  ThreadPool(ThreadPool const&) = delete;
  ThreadPool& operator=(ThreadPool const&) = delete;
  ZERO_OUT_OF_LINE ~ThreadPool() {
    {
      std::lock_guard lock(mutex_);
      stopping_.store(true, std::memory_order_release);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  /// Threads that run a loop, the caller included.
  [[nodiscard]] int size() const noexcept { return static_cast<int>(workers_.size()) + 1; }

  /// Calls `f(task)` once for every task in [0, \p tasks), on the threads of this pool; blocks until all have returned.
  /// \throws what the first failing task threw, after every task has ended or been given up.
  ZERO_OUT_OF_LINE void parallel_for(std::size_t tasks, FunctionRef<void(std::size_t)> f) {
    if (workers_.size() == 0 || tasks <= 1) {
      for (std::size_t task = 0; task < tasks; ++task) f(task);
      return;
    }
    start(tasks, f);
    run_tasks();
    finish();
  }

 private:
  void start(std::size_t tasks, FunctionRef<void(std::size_t)> const& f) {
    std::lock_guard lock(mutex_);
    function_ = &f;
    tasks_ = tasks;
    next_.store(0, std::memory_order_relaxed);
    inside_.store(0, std::memory_order_release);
    generation_.fetch_add(1, std::memory_order_release);
    if (sleeping_ > 0) wake_.notify_all();
  }

  void run_tasks() noexcept {
    for (auto task = next_.fetch_add(1); task < tasks_; task = next_.fetch_add(1)) {
      try {
        (*function_)(task);
      } catch (...) {
        std::lock_guard lock(mutex_);
        if (!error_) error_ = std::current_exception();
        next_.store(tasks_);
      }
    }
  }

  // Waits for the workers that have a task: one that has not woken up yet has none, and finds the loop closed.
  void finish() {
    inside_.fetch_add(closed);
    auto const are_out = [this] { return inside_.load() == closed; };
    for (int spins = 0; spins < spin_limit && !are_out(); ++spins) {
    }
    if (!spin_.wait(are_out, (std::numeric_limits<int>::max)())) {
      std::unique_lock lock(mutex_);
      caller_sleeps_.store(true);
      done_.wait(lock, are_out);
      caller_sleeps_.store(false);
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

  void work() {
    std::uint64_t seen = 0;
    for (;;) {
      wait_for_work(seen);
      seen = generation_.load(std::memory_order_acquire);
      if (stopping_.load(std::memory_order_acquire)) return;
      if (!enter()) continue;
      run_tasks();
      leave();
    }
  }

  // A worker that is inside keeps the loop from ending. One that wakes up late enters the next loop, or none.
  [[nodiscard]] bool enter() noexcept {
    int inside = inside_.load(std::memory_order_acquire);
    while (inside >= 0) {
      if (inside_.compare_exchange_weak(inside, inside + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }
  // Sequentially consistent, as in `finish`: either the caller sees that this one is out, or this one that it sleeps.
  void leave() noexcept {
    if (inside_.fetch_sub(1) != closed + 1 || !caller_sleeps_.load()) return;
    std::lock_guard const lock(mutex_);
    done_.notify_one();
  }

  // Loops of a training step follow each other within microseconds: a short spin saves the wake-up of most of them.
  void wait_for_work(std::uint64_t seen) {
    for (int spins = 0; spins < spin_limit; ++spins) {
      if (generation_.load(std::memory_order_acquire) != seen) return;
    }
    std::unique_lock lock(mutex_);
    ++sleeping_;
    wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
    --sleeping_;
  }

  static constexpr int spin_limit = 20000;
  static constexpr int closed = (std::numeric_limits<int>::min)() / 2;  // and so many are still inside

  std::mutex mutex_;
  std::condition_variable wake_, done_;
  detail::FixedArray<std::thread> workers_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<std::size_t> next_{0};
  std::atomic<int> inside_{closed};  // workers that may take tasks, plus `closed` where none may enter
  std::atomic<bool> caller_sleeps_{false};
  detail::AdaptiveSpin<> spin_;  // of the caller
  int sleeping_ = 0;
  std::atomic<bool> stopping_{false};
  FunctionRef<void(std::size_t)> const* function_ = nullptr;
  std::size_t tasks_ = 0;
  std::exception_ptr error_;
};

}  // namespace zero
