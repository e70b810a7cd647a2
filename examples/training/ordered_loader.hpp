// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

namespace training {

/// How batches are loaded.
struct LoadOptions {
  std::size_t workers = 1;   ///< threads; 0: batches are loaded where they are asked for
  std::size_t prefetch = 2;  ///< batches that are loaded before they are asked for, at most
};

/// Loads batches in a given order, on threads of its own. What a batch has is for its number alone to say: it is the
/// same with any number of workers. For one thread that takes them.
///
/// What a worker throws is thrown by the `take` of the batch that it was for. The end of a loader waits for the reads
/// that are under way, and leaves no thread behind.
///
/// \tparam Batch default constructible; its memory is used again
template <class Batch>
class OrderedLoader {
 public:
  /// Loads the \p n-th batch that will be asked for, from 0 on. Called by workers, several at once.
  using Load = std::function<void(std::uint64_t n, Batch& batch)>;

  /// Loads \p count batches by \p load.
  OrderedLoader(LoadOptions const& options, std::uint64_t count, Load load)
      : options_(options), count_(count), load_(std::move(load)) {
    if (options.workers == 0) return;
    slots_.resize(options.prefetch + 1);  // one is being waited for
    auto const useful = std::min<std::uint64_t>({options.workers, slots_.size(), count});
    try {
      for (std::uint64_t i = 0; i < useful; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {
      if (workers_.empty()) throw;  // fewer are enough
    }
  }
  OrderedLoader(OrderedLoader const&) = delete;
  OrderedLoader& operator=(OrderedLoader const&) = delete;
  ~OrderedLoader() {
    {
      std::lock_guard const lock(mutex_);
      ends_ = true;
    }
    may_load_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  /// Exchanges \p batch for the next one; what it held is memory for those to come. Waits until that is loaded.
  /// \throws what loading it has thrown.
  void take(Batch& batch) {
    if (taken_ == count_) throw std::logic_error("training::OrderedLoader::take: all batches are taken");
    if (options_.workers == 0) {
      load_(taken_, batch);
      ++taken_;
      return;
    }
    std::unique_lock lock(mutex_);
    auto& slot = slots_[taken_ % slots_.size()];
    waits_ = true;
    may_load_.notify_all();
    is_loaded_.wait(lock, [&] { return slot.is_loaded; });
    waits_ = false;
    if (slot.failure) std::rethrow_exception(slot.failure);
    std::swap(batch, slot.batch);
    slot.is_loaded = false;
    ++taken_;
    may_load_.notify_all();
  }

  [[nodiscard]] bool has_more() const noexcept { return taken_ < count_; }
  /// How many have been taken.
  [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }

 private:
  struct Slot {
    Batch batch{};
    bool is_loaded = false;
    std::exception_ptr failure{};
  };

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      may_load_.wait(lock, [&] { return ends_ || begun_ < limit(); });
      if (ends_) return;
      auto const n = begun_++;
      auto& slot = slots_[n % slots_.size()];
      lock.unlock();
      std::exception_ptr failure;
      try {
        load_(n, slot.batch);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      slot.failure = failure;
      slot.is_loaded = true;
      is_loaded_.notify_one();
    }
  }
  /// Batches up to this one may be loaded now.
  [[nodiscard]] std::uint64_t limit() const noexcept {
    return std::min<std::uint64_t>(count_, taken_ + options_.prefetch + (waits_ ? 1 : 0));
  }

  LoadOptions options_;
  std::uint64_t count_;
  Load load_;
  std::mutex mutex_;
  std::condition_variable may_load_, is_loaded_;
  bool ends_ = false, waits_ = false;
  std::uint64_t begun_ = 0, taken_ = 0;
  std::vector<Slot> slots_;           // number n is in n modulo their number
  std::vector<std::thread> workers_;  // the last member: they use the others
};

}  // namespace training
