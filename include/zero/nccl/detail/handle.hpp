// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/nccl/detail/error.hpp>
#include <zero/support/message.hpp>

#include <nccl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace zero::detail {

/// Owns an ncclComm_t that does not block. Every call holds its mutex, so that an abort by another thread finds nobody
/// inside NCCL, and nobody enters after it; what NCCL goes on with by itself is polled, without the mutex, until it is
/// done, because nothing may be put on a stream before.
class NcclHandle {
 public:
  NcclHandle() = default;
  NcclHandle(NcclHandle const&) = delete;
  NcclHandle& operator=(NcclHandle const&) = delete;
  ~NcclHandle() { abort(); }

  /// Begins with \p init, which sets a communicator; then as `call`.
  template <class Init>
  [[nodiscard]] std::optional<std::string> open(std::string_view name, Deadline const& deadline, Init init) {
    return poll(name, deadline, [&] {
      auto const code = init(&communicator_);
      bool const failed = code != ncclSuccess && code != ncclInProgress;
      if (failed && communicator_ != nullptr) (void)ncclCommAbort(std::exchange(communicator_, nullptr));
      return code;
    });
  }
  /// Takes over what `ncclCommSplit` made and waits until it is ready.
  [[nodiscard]] std::optional<std::string> adopt(ncclComm_t made, Deadline const& deadline) {
    return open("ncclCommSplit", deadline, [made](ncclComm_t* communicator) {
      *communicator = made;
      return ncclInProgress;
    });
  }

  /// Does \p f with the communicator, and waits until NCCL has put it on its way. \return why not; none: it is.
  template <class Function>
  [[nodiscard]] std::optional<std::string> call(std::string_view name, Deadline const& deadline, Function f) {
    return poll(name, deadline, [&] { return communicator_ == nullptr ? gone : f(communicator_); });
  }

  /// What NCCL has found out by itself; success, too, while it is busy or after an abort.
  [[nodiscard]] std::pair<ncclResult_t, std::string> asynchronous_error() {
    std::unique_lock const lock(mutex_, std::try_to_lock);
    if (!lock || communicator_ == nullptr) return {ncclSuccess, ""};
    auto const code = state();
    if (code == ncclSuccess || code == ncclInProgress) return {ncclSuccess, ""};
    return {code, nccl_reason(code, "a collective", communicator_)};
  }

  /// Ends all that is under way, so that streams go on. Called by all ranks. What was sent or received may be anything.
  /// NCCL returns when no graph holds collectives of the communicator any more: a thread that owns such graphs would
  /// wait for ever.
  void abort() noexcept {
    // Without the mutex, for which the thread that owns the graphs may wait.
    if (auto* const ended = take(); ended != nullptr) (void)ncclCommAbort(ended);
    is_aborted_.store(true);
  }
  /// Waits until another thread's `abort` is over, because a call that was in progress may put its work on a stream
  /// until then: later than an event that follows, or than the release of its memory. Not for ever: where the caller
  /// owns graphs of the communicator, the abort ends after them.
  void await_abort() const {
    Deadline const patience(std::chrono::seconds(1));
    while (!is_aborted_.load() && !patience.passed()) std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

  /// The end of a healthy communicator: waits for all that is under way. \return why it had to be aborted, if so.
  [[nodiscard]] std::optional<std::string> close(Deadline const& deadline) {
    auto why =
        call("ncclCommFinalize", deadline, [](ncclComm_t communicator) { return ncclCommFinalize(communicator); });
    if (why) {
      abort();
      return why;
    }
    std::lock_guard const lock(mutex_);
    (void)ncclCommDestroy(std::exchange(communicator_, nullptr));
    return std::nullopt;
  }

 private:
  static constexpr ncclResult_t gone = ncclNumResults;  // ours: it was aborted

  [[nodiscard]] ncclResult_t state() const noexcept {
    auto code = ncclSuccess;
    auto const asked = ncclCommGetAsyncError(communicator_, &code);
    return asked != ncclSuccess ? asked : code;
  }

  [[nodiscard]] ncclComm_t take() noexcept {
    // A thread that hangs inside NCCL in spite of all would hold the mutex for ever: then the abort is what frees it.
    constexpr std::chrono::seconds patience(10);
    std::unique_lock const lock(mutex_, patience);
    return std::exchange(communicator_, nullptr);
  }

  template <class Function>
  [[nodiscard]] std::optional<std::string> poll(std::string_view name, Deadline const& deadline, Function f) {
    std::unique_lock lock(mutex_);
    auto code = f();
    // A call may say success and go on: a split that makes nothing on this rank does.
    if (code == ncclSuccess && communicator_ != nullptr) code = state();
    for (std::chrono::microseconds pause(10); code == ncclInProgress; pause = (std::min)(pause * 2, longest_pause)) {
      lock.unlock();
      if (deadline.passed()) return concat({name, " was not done within the deadline"});
      std::this_thread::sleep_for(pause);
      lock.lock();
      if (communicator_ == nullptr) break;
      code = state();
    }
    if (communicator_ == nullptr && (code == gone || code == ncclInProgress)) return concat({name, " was aborted"});
    if (code == ncclSuccess) return std::nullopt;
    return nccl_reason(code, name, communicator_);
  }
  static constexpr std::chrono::microseconds longest_pause{2000};

  std::timed_mutex mutex_;
  ncclComm_t communicator_ = nullptr;
  std::atomic<bool> is_aborted_{false};
};

}  // namespace zero::detail
