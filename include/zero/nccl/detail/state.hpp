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
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zero::detail {

/// One communicator with all that keeps it from hanging; its end is the end of all. One that was split from another
/// keeps that one alive.
class NcclState {
 public:
  /// What a communicator was split from.
  struct Origin {
    std::shared_ptr<NcclState> parent{};
    std::vector<int> world_ranks{};  ///< of each rank, as the world counts
  };

  /// Opens with \p open, which is given the handle and a deadline and says why it failed, if so. On the current device.
  /// \p origin: empty where this is a world.
  template <class Open>
  NcclState(Origin origin, std::optional<Rendezvous> meeting, int rank, int device, std::chrono::nanoseconds deadline,
            Open open)
      : parent_(std::move(origin.parent)),
        world_(parent_ ? parent_->world_ : std::make_shared<NcclWorld>(device)),
        world_ranks_(origin.world_ranks),
        device_(device),
        deadline_(deadline),
        rendezvous_(std::move(meeting)),
        watchdog_(handle_, rendezvous_ ? &*rendezvous_ : nullptr, *world_, std::move(origin.world_ranks), rank, device,
                  deadline) {
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
      if (!healthy) watchdog_.fail_own("has failed: an exception ended it; see its own output");
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
  /// Of the world's.
  [[nodiscard]] CudaStream stream() const noexcept { return world_->stream(); }
  /// A rank of this communicator, as the world counts.
  [[nodiscard]] int world_rank(int rank) const noexcept {
    return world_ranks_.empty() ? rank : world_ranks_[static_cast<std::size_t>(rank)];
  }
  [[nodiscard]] std::chrono::nanoseconds deadline() const noexcept { return deadline_; }

 private:
  std::shared_ptr<NcclState> parent_;
  std::shared_ptr<NcclWorld> world_;
  std::vector<int> world_ranks_;
  int device_;
  std::chrono::nanoseconds deadline_;
  int exceptions_ = std::uncaught_exceptions();
  std::optional<Rendezvous> rendezvous_;
  ncclComm_t split_off_ = nullptr;
  NcclHandle handle_;
  NcclWatchdog watchdog_;
};

}  // namespace zero::detail
