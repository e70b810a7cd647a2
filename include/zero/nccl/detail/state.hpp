// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/bootstrap/rendezvous.hpp>
#include <zero/cuda/device.hpp>
#include <zero/error.hpp>
#include <zero/nccl/detail/error.hpp>
#include <zero/nccl/detail/handle.hpp>
#include <zero/nccl/detail/watchdog.hpp>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace zero::detail {

/// One communicator with all that keeps it from hanging; its end is the end of all.
class NcclState {
 public:
  /// Opens with \p open, which is given the handle and a deadline and says why it failed, if so. On the current device.
  template <class Open>
  NcclState(std::optional<Rendezvous> meeting, int rank, int device, std::chrono::nanoseconds deadline, Open open)
      : device_(device),
        deadline_(deadline),
        rendezvous_(std::move(meeting)),
        watchdog_(handle_, rendezvous_ ? &*rendezvous_ : nullptr, rank, device, deadline) {
    DeviceGuard const guard(device);
    if (auto const why = open(handle_, Deadline(deadline))) {
      watchdog_.fail(CommunicationFailure::transport, rank, {}, "failed: " + *why);
      watchdog_.throw_if_failed();
    }
  }
  NcclState(NcclState const&) = delete;
  NcclState& operator=(NcclState const&) = delete;
  /// Waits for all that is under way; where a rank has failed, or an exception ends this one, ends it at once.
  ~NcclState() {
    bool const healthy = !watchdog_.failed() && std::uncaught_exceptions() <= exceptions_;
    try {
      DeviceGuard const guard(device_);
      if (healthy) (void)handle_.close(Deadline(deadline_));
      if (!healthy && rendezvous_) rendezvous_->fail("has failed: an exception ended it; see its own output");
    } catch (...) {  // a device that is lost: what follows ends all the same
    }
    watchdog_.stop();
    handle_.abort();
    if (split_off_ != nullptr) (void)ncclCommAbort(split_off_);
  }

  [[nodiscard]] NcclHandle& handle() noexcept { return handle_; }
  [[nodiscard]] NcclWatchdog& watchdog() noexcept { return watchdog_; }
  [[nodiscard]] Rendezvous* rendezvous() noexcept { return rendezvous_ ? &*rendezvous_ : nullptr; }
  /// What the latest split makes, until somebody takes it over. NCCL writes it from a thread of its own, which it joins
  /// when the communicator is aborted: it must stay where it is until then.
  [[nodiscard]] ncclComm_t& split_off() noexcept { return split_off_; }
  [[nodiscard]] int device() const noexcept { return device_; }
  [[nodiscard]] std::chrono::nanoseconds deadline() const noexcept { return deadline_; }

 private:
  int device_;
  std::chrono::nanoseconds deadline_;
  int exceptions_ = std::uncaught_exceptions();
  std::optional<Rendezvous> rendezvous_;
  ncclComm_t split_off_ = nullptr;
  NcclHandle handle_;
  NcclWatchdog watchdog_;
};

}  // namespace zero::detail
