// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace zero_tokenize {

/// Work on pieces, by several threads, whose results are taken in the order of the pieces. Everything ends at the first
/// error, in that order, which `run` throws.
template <class Piece, class Result>
class Pipeline {
 public:
  /// \p read gives pieces until there are none, one call at a time; `make_worker()` gives each thread a function from a
  /// piece to its result; `take(result)` is called one result at a time. At most two pieces a thread are held.
  template <class Read, class MakeWorker, class Take>
  static void run(std::size_t threads, Read&& read, MakeWorker&& make_worker, Take&& take) {
    Pipeline pipeline(2 * threads);
    std::vector<std::thread> others;
    auto const work = [&] {
      try {
        pipeline.work(read, make_worker(), take);
      } catch (...) {
        pipeline.fail(std::current_exception(), 0);
      }
    };
    try {
      for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
    } catch (...) {
      pipeline.fail(std::current_exception(), 0);
    }
    work();
    for (auto& thread : others) thread.join();
    if (pipeline.error_) std::rethrow_exception(pipeline.error_);
  }

 private:
  explicit Pipeline(std::size_t most) : most_(most) {}

  void fail(std::exception_ptr error, std::uint64_t number) {
    std::lock_guard const lock(mutex_);
    if (!error_ || number < error_number_) error_ = std::move(error), error_number_ = number;
    stopped_ = true;
    changed_.notify_all();
  }

  template <class Read, class Worker, class Take>
  void work(Read& read, Worker worker, Take& take) {
    for (;;) {
      std::optional<Piece> piece;
      std::uint64_t number = 0;
      {
        std::lock_guard const reading(read_mutex_);
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [&] { return stopped_ || next_ < taken_ + most_; });
          if (stopped_) return;
          number = next_++;
        }
        try {
          piece = read();
        } catch (...) {
          return put(number, {std::nullopt, std::current_exception()}, take);
        }
        if (!piece) {
          std::lock_guard const lock(mutex_);
          stopped_ = true;  // what was read before is still taken
          return changed_.notify_all();
        }
      }
      std::pair<std::optional<Result>, std::exception_ptr> made;
      try {
        made.first = worker(*std::move(piece));
      } catch (...) {
        made.second = std::current_exception();
      }
      put(number, std::move(made), take);
    }
  }

  // Takes all results whose turn has come.
  template <class Take>
  void put(std::uint64_t number, std::pair<std::optional<Result>, std::exception_ptr> made, Take& take) {
    std::unique_lock lock(mutex_);
    results_.emplace(number, std::move(made));
    while (!taking_ && !error_ && !results_.empty() && results_.begin()->first == taken_) {
      auto result = std::move(results_.begin()->second);
      results_.erase(results_.begin());
      taking_ = true;
      lock.unlock();
      try {
        if (result.second) std::rethrow_exception(result.second);
        take(*std::move(result.first));
      } catch (...) {
        fail(std::current_exception(), number);
      }
      lock.lock();
      taking_ = false;
      ++taken_;
      changed_.notify_all();
    }
  }

  std::size_t most_;
  std::mutex read_mutex_, mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, std::pair<std::optional<Result>, std::exception_ptr>> results_;
  std::uint64_t next_ = 0, taken_ = 0, error_number_ = 0;
  bool taking_ = false, stopped_ = false;
  std::exception_ptr error_;
};

}  // namespace zero_tokenize
