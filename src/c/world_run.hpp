// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "freeing.hpp"
#include "sized_struct.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace zero::c {

/// A world as its options say. \throws ConfigurationError.
[[nodiscard]] inline std::shared_ptr<WorldState> make_world(std::int32_t ranks, zero_world_options const* given,
                                                            char const* function) {
  auto const options = read_struct_or_default(given, function, "options");
  constexpr double most_seconds = 1e9;
  double const seconds = options.deadline_seconds == 0.0 ? 600.0 : options.deadline_seconds;
  if (ranks < 1 || ranks > ThreadCommunicator::max_ranks) {
    detail::fail<ConfigurationError>({function, ": ", ranks, " ranks: 1 to 256 are possible"});
  }
  if (!(seconds >= 1e-9 && seconds <= most_seconds)) {
    detail::fail<ConfigurationError>({function, ": deadline_seconds must be from 10^-9 to 10^9, e.g. 600"});
  }
  auto const deadline = std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
  return std::make_shared<WorldState>(ranks, deadline);
}

/// Gives rank \p number of \p state, which nobody has taken yet, a handle. \throws SequenceError where somebody has.
[[nodiscard]] inline Handle take_rank(std::shared_ptr<WorldState> const& state, std::int32_t number,
                                      char const* function) {
  std::lock_guard const lock(state->mutex);
  auto const count = static_cast<std::int32_t>(state->taken.size());
  if (number < 0 || number >= count) {
    detail::fail<ConfigurationError>({function, ": there is no rank ", number, " of ", count, ": they count from 0"});
  }
  auto const place = static_cast<std::size_t>(number);
  if (state->taken[place]) {
    detail::fail<SequenceError>(
        {function, ": rank ", number,
         " was taken before: each thread takes a rank of its own, once in the life of a world"});
  }
  auto rank = std::make_unique<Rank>(state, number);
  rank->handle = handles().add(Kind::rank, rank.get());
  state->taken[place] = true;
  state->handles[place] = rank->handle;
  return rank.release()->handle;
}

/// Runs one function on all ranks of a world, on threads.
class WorldRun {
 public:
  WorldRun(std::shared_ptr<WorldState> state, zero_rank_function function, void* context)
      : state_(std::move(state)), function_(function), context_(context) {}

  /// Returns ZERO_OK, or the status of the rank that failed first, whose error is this thread's then. \throws where a
  /// thread cannot be started.
  [[nodiscard]] zero_status run() {
    int const ranks = state_->group->size();
    std::vector<std::thread> threads;
    auto const failure = detail::attempt([&] {
      threads.reserve(static_cast<std::size_t>(ranks));
      for (int rank = 1; rank < ranks; ++rank) threads.emplace_back([this, rank] { run(rank); });
      run(0);
    });
    if (failure) fail_world(0, detail::text_of(failure));
    for (auto& thread : threads) thread.join();
    if (failure) std::rethrow_exception(failure);
    if (failed_) last_error().take(first_);
    return failed_ ? static_cast<zero_status>(first_.info.status) : ZERO_OK;
  }

 private:
  void run(int number) noexcept {
    Handle handle;
    int result = 0;
    try {
      handle = take_rank(state_, number, called);
      last_error().set(ZERO_OK, "");  // so that what is there afterwards is this function's
      result = function_(handle.as<zero_rank>(), context_);
    } catch (...) {
      result = keep_current_exception();
    }
    if (result != 0) fail(number, result);
    if (handle != Handle()) free(handle);
  }

  // Once no thread of the caller's is inside a call with it any more.
  static void free(Handle handle) noexcept {
    while (guarded([&] { free_rank(handle, called); }) == ZERO_ERROR_IN_USE) std::this_thread::yield();
  }

  // Out of memory here ends the program, as in every noexcept function of the library.
  void fail(int number, int result) noexcept {
    auto const& last = last_error();
    bool const says_why = last.info.status == result;
    auto const text = says_why ? std::string(last.text)
                               : detail::concat({called, ": the function of rank ", number, " returned ", result});
    {
      std::lock_guard const lock(mutex_);
      if (!failed_ && says_why) first_.take(last);
      if (!failed_ && !says_why) first_.set(ZERO_ERROR_RANK_FUNCTION, text);
      failed_ = true;
    }
    fail_world(number, text);
  }
  void fail_world(int number, std::string const& why) { state_->group->fail(number, "failed: " + why); }

  static constexpr char const* called = "zero_world_run";

  std::shared_ptr<WorldState> state_;
  zero_rank_function function_;
  void* context_;
  std::mutex mutex_;  // guards what follows
  bool failed_ = false;
  LastError first_;
};

}  // namespace zero::c
