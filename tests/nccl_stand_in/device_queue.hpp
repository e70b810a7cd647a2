// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace nccl_stand_in {

/// Devices of the stand-in, and so the ranks that a world can have.
inline constexpr int devices = 8;

/// A device: a thread that does what is put on its one stream, in order. Device memory is the program's.
class DeviceQueue {
 public:
  DeviceQueue() : thread_([this] { run(); }) {}
  DeviceQueue(DeviceQueue const&) = delete;
  DeviceQueue& operator=(DeviceQueue const&) = delete;
  ~DeviceQueue() {
    put(nullptr);
    thread_.join();
  }

  /// The number of the operation, counted from 1.
  std::uint64_t put(std::function<void()> work) {
    std::lock_guard const lock(mutex_);
    waiting_.push_back(std::move(work));
    changed_.notify_all();
    return ++put_;
  }
  [[nodiscard]] bool done(std::uint64_t operation) {
    std::lock_guard const lock(mutex_);
    return done_ >= operation;
  }
  /// Waits for all that was put.
  void drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&, all = put_] { return done_ >= all; });
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !waiting_.empty(); });
      auto const work = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      if (!work) return;
      work();
      lock.lock();
      ++done_;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::uint64_t put_ = 0;
  std::uint64_t done_ = 0;
  std::thread thread_;
};

/// The queue of a device; of the calling thread's current one.
DeviceQueue& queue(int device);
DeviceQueue& queue();

/// The rank for which NCCL's next questions for its state say that the system failed; -1: none.
void fail_asynchronously(int rank);
/// Registrations that NCCL holds.
int registrations();

}  // namespace nccl_stand_in
