// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/rendezvous.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/detail/collective_label.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/owned_stream.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/error.hpp>
#include <zero/nccl/detail/handle.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace zero::detail {

class NcclWatchdog;

/// What this rank's communicators share that were split from one world, or from each other: the stream of their
/// collectives, and their watchdogs, of which what fails one fails all.
class NcclWorld {
 public:
  /// \throws CudaError where \p device makes no stream.
  explicit NcclWorld(int device) : stream_(CudaOwnedStream::make(device)) {}

  /// Lasts as long as this.
  [[nodiscard]] CudaStream stream() const noexcept { return stream_.get(); }

  void add(NcclWatchdog& watchdog) {
    std::lock_guard const lock(mutex_);
    watchdogs_.push_back(&watchdog);
  }
  void remove(NcclWatchdog& watchdog) noexcept {
    std::lock_guard const lock(mutex_);
    std::erase(watchdogs_, &watchdog);
  }
  /// Rank \p world_rank has failed, as \p from has found.
  void fail(NcclWatchdog const& from, CommunicationFailure kind, int world_rank, std::string_view reason);
  /// What the failure channel of the world itself has been told. Does not wait.
  [[nodiscard]] std::optional<HostFailure> told();

 private:
  CudaOwnedStream stream_;
  std::mutex mutex_;
  std::vector<NcclWatchdog*> watchdogs_;
};

/// A thread that looks after one communicator: at NCCL's own errors, at the failure channel, and at whether the
/// collective that is next to complete does so within the deadline. At the first failure, whoever finds it, it aborts
/// the communicator, which ends kernels that would wait for ever, after the other ranks have been told, whose watchdogs
/// do the same. Ranks count within the communicator, and errors name those of the world.
class NcclWatchdog {
 public:
  /// All are borrowed; \p rendezvous may be null: then the other ranks find out by their own deadlines. \p world_ranks:
  /// of each rank, as the world counts; empty where they are the same.
  NcclWatchdog(NcclHandle& handle, Rendezvous* rendezvous, NcclWorld& world, std::vector<int> world_ranks, int rank,
               int device, std::chrono::nanoseconds deadline)
      : handle_(handle),
        rendezvous_(rendezvous),
        world_(world),
        world_ranks_(std::move(world_ranks)),
        rank_(rank),
        device_(device),
        deadline_(deadline) {
    world_.add(*this);
    thread_ = std::thread([this] { watch_all(); });
  }
  NcclWatchdog(NcclWatchdog const&) = delete;
  NcclWatchdog& operator=(NcclWatchdog const&) = delete;
  ~NcclWatchdog() {
    stop();
    world_.remove(*this);
  }
  void stop() {
    {
      std::lock_guard const lock(mutex_);
      stopping_ = true;
    }
    woken_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  /// What has just been put on \p stream must pass within the deadline after what came before it. Nothing is watched
  /// while the stream is part of a capture: it does not run yet.
  void watch(CollectiveLabel const& label, CudaStream stream) {
    DeviceGuard const guard(device_);
    auto status = cudaStreamCaptureStatusNone;
    check_cuda(cudaStreamIsCapturing(stream.handle(), &status), "cudaStreamIsCapturing");
    if (status != cudaStreamCaptureStatusNone) return;
    std::lock_guard const lock(mutex_);
    // Full: the event of the last one moves on. NCCL runs a communicator's collectives in the order of their calls.
    auto& entry = count_ < watched_.size() ? watched_[(first_ + count_++) % watched_.size()]
                                           : watched_[(first_ + count_ - 1) % watched_.size()];
    if (count_ == 1) since_ = Deadline::Clock::now();
    entry.label = label;
    entry.event.record(stream.handle());
  }
  /// The latest collective, for failures that are not one's own.
  void latest(CollectiveLabel const& label) {
    std::lock_guard const lock(mutex_);
    latest_ = label;
  }

  /// The first failure counts: tells the other ranks, and leaves the abort to the watchdog's thread, because it ends
  /// after graphs that the caller may own. \p reason goes on after "rank N".
  void fail(CommunicationFailure kind, int rank, CollectiveLabel const& label, std::string_view reason) {
    if (!take(kind, world_rank(rank), label, reason)) return;
    auto const whole = concat({reason, " (in ", label.describe(), ")"});
    if (rendezvous_ != nullptr) rendezvous_->fail(HostFailure{kind, rank, whole});
    world_.fail(*this, kind, world_rank(rank), whole);
    request_abort();
  }
  /// The same of this rank itself, whatever it was in.
  void fail_own(std::string_view reason) { fail(CommunicationFailure::peer_failed, rank_, latest(), reason); }
  /// The same after what another communicator of this world has found. Only the world's own ranks are told: all of its
  /// groups hear of it there.
  void fail_with_world(CommunicationFailure kind, int world_rank, std::string_view reason) {
    if (!take(kind, world_rank, latest(), reason)) return;
    if (rendezvous_ != nullptr && is_of_world()) {
      rendezvous_->fail(HostFailure{kind, world_rank, std::string(reason)});
    }
    request_abort();
  }
  /// \throws CommunicationError where anything has failed.
  void throw_if_failed() const {
    if (!failed_.load()) return;
    std::lock_guard const lock(mutex_);
    throw CommunicationError(*failure_);
  }
  [[nodiscard]] bool failed() const noexcept { return failed_.load(); }

  [[nodiscard]] bool is_of_world() const noexcept { return world_ranks_.empty(); }
  /// What the failure channel has been told. Does not wait.
  [[nodiscard]] std::optional<HostFailure> told() const {
    return rendezvous_ == nullptr ? std::nullopt : rendezvous_->failure();
  }

 private:
  struct Watched {
    CudaEvent event;
    CollectiveLabel label;
  };
  struct Finding {
    CommunicationFailure kind;
    CollectiveLabel label;
    std::string reason;
  };
  static constexpr std::chrono::milliseconds interval{10};

  [[nodiscard]] int world_rank(int rank) const noexcept {
    return is_of_world() ? rank : world_ranks_[static_cast<std::size_t>(rank)];
  }
  [[nodiscard]] CollectiveLabel latest() {
    std::lock_guard const lock(mutex_);
    return latest_;
  }
  // False where something else has failed before.
  bool take(CommunicationFailure kind, int failed_rank, CollectiveLabel const& label, std::string_view reason) {
    std::lock_guard const lock(mutex_);
    if (failure_) return false;
    failure_.emplace(kind, label.where(failed_rank),
                     concat({"zero::NcclCommunicator: rank ", world_rank(rank_), " was in ", label.describe(),
                             ": rank ", failed_rank, " ", reason}));
    failed_.store(true);
    return true;
  }
  void request_abort() {
    {
      std::lock_guard const lock(mutex_);
      aborts_ = true;
    }
    woken_.notify_all();
  }

  void watch_all() {
    // Another thread's capture must not be broken by a question about an event that is no part of it.
    auto mode = cudaStreamCaptureModeRelaxed;
    (void)cudaThreadExchangeStreamCaptureMode(&mode);
    (void)cudaSetDevice(device_);
    std::unique_lock lock(mutex_);
    while (!woken_.wait_for(lock, interval, [&] { return stopping_ || aborts_; })) {
      if (failure_) continue;
      auto const found = look_at_events();
      auto const label = latest_;
      lock.unlock();
      if (!look_at_others(label) && !look_at_nccl(label) && found) {
        fail(found->kind, rank_, found->label, found->reason);
      }
      lock.lock();
    }
    bool const aborts = aborts_;
    lock.unlock();
    if (aborts) handle_.abort();
  }

  bool look_at_others(CollectiveLabel const& label) {
    auto const failure = told();
    if (!failure) return false;
    if (auto const first = is_of_world() ? std::nullopt : first_of_world()) {
      fail_with_world(first->kind, first->rank, first->reason);
    } else {
      fail(failure->kind, failure->rank, label, failure->reason);
    }
    return true;
  }

  // A rank that ends because another one has failed fails in its groups, too, and the others may hear of that first.
  // Every failure is told in the world, whose channel knows which one was the first; it knows a little later perhaps.
  [[nodiscard]] std::optional<HostFailure> first_of_world() {
    Deadline const grace(std::chrono::seconds(2));
    for (;;) {
      if (auto first = world_.told()) return first;
      if (grace.passed() || is_stopping()) return std::nullopt;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  [[nodiscard]] bool is_stopping() {
    std::lock_guard const lock(mutex_);
    return stopping_;
  }

  bool look_at_nccl(CollectiveLabel const& label) {
    auto const [code, reason] = handle_.asynchronous_error();
    if (code == ncclSuccess) return false;
    // The end of a peer is seen by NCCL and by the failure channel: the latter knows whose it was, a little later.
    if (rendezvous_ != nullptr && (code == ncclRemoteError || code == ncclSystemError)) {
      Deadline const grace(std::chrono::seconds(2));
      while (!grace.passed()) {
        if (look_at_others(label)) return true;
        std::this_thread::sleep_for(interval);
      }
    }
    fail(CommunicationFailure::transport, rank_, label, "failed: " + reason);
    return true;
  }

  // Called with the mutex.
  [[nodiscard]] std::optional<Finding> look_at_events() {
    while (count_ > 0) {
      auto const& next = watched_[first_];
      try {
        if (!next.event.done()) break;
      } catch (Error const& lost) {
        return Finding{CommunicationFailure::transport, next.label, concat({"lost its device: ", lost.what()})};
      }
      first_ = (first_ + 1) % watched_.size();
      --count_;
      since_ = Deadline::Clock::now();
    }
    if (count_ == 0 || Deadline::Clock::now() - since_ < deadline_) return std::nullopt;
    return Finding{CommunicationFailure::deadline, watched_[first_].label,
                   concat({"waited for longer than the deadline of ", milliseconds_of(deadline_),
                           " ms: another rank did not come to this collective, or its GPU hangs"})};
  }

  NcclHandle& handle_;
  Rendezvous* rendezvous_;
  NcclWorld& world_;
  std::vector<int> world_ranks_;
  int rank_;
  int device_;
  std::chrono::nanoseconds deadline_;
  mutable std::mutex mutex_;
  std::condition_variable woken_;
  bool stopping_ = false;
  bool aborts_ = false;
  std::atomic<bool> failed_{false};
  std::optional<CommunicationError> failure_;
  CollectiveLabel latest_{};
  std::array<Watched, 256> watched_{};  // a ring; its events are made when they are first used
  std::size_t first_ = 0, count_ = 0;
  Deadline::Clock::time_point since_ = Deadline::Clock::now();  // the first of them is the next to complete
  std::thread thread_;
};

inline void NcclWorld::fail(NcclWatchdog const& from, CommunicationFailure kind, int world_rank,
                            std::string_view reason) {
  std::lock_guard const lock(mutex_);
  for (auto* const watchdog : watchdogs_) {
    if (watchdog != &from) watchdog->fail_with_world(kind, world_rank, reason);
  }
}

inline std::optional<HostFailure> NcclWorld::told() {
  std::lock_guard const lock(mutex_);
  for (auto const* const watchdog : watchdogs_) {
    if (watchdog->is_of_world()) return watchdog->told();
  }
  return std::nullopt;
}

}  // namespace zero::detail
