// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/communicator.hpp>
#include <zero/communicators/detail/collective_label.hpp>
#include <zero/cuda/detail/capture.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/error.hpp>
#include <zero/nccl/detail/state.hpp>
#include <zero/nccl/detail/transfer_group.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>

#include <nccl.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace zero::detail {

/// The calls of NCCL that one rank makes on one communicator, in order: each has a number, is known to the watchdog
/// before it begins, and is followed on its stream until it has passed. Move-only.
class NcclCalls {
 public:
  NcclCalls() = default;
  /// On the communicator of \p state, as its \p rank.
  NcclCalls(std::shared_ptr<NcclState> state, int rank) noexcept : state_(std::move(state)), rank_(rank) {}
  NcclCalls(NcclCalls&&) noexcept = default;
  NcclCalls& operator=(NcclCalls&&) noexcept = default;

  [[nodiscard]] std::shared_ptr<NcclState> const& state() const noexcept { return state_; }

  /// \throws CommunicationError where a rank has failed. Does not wait.
  void throw_if_failed() const { state_->watchdog().throw_if_failed(); }
  /// Tells all ranks that this one cannot go on, in the latest call.
  void fail(std::string_view reason) {
    state_->watchdog().fail(CommunicationFailure::peer_failed, rank_, latest_, reason);
  }

  /// \throws ConfigurationError for another \p device than the communicator's.
  void require_device(int device) const {
    if (device != state_->device()) throw_stream(device);
  }
  /// Puts the collective that `f(communicator)` starts on \p stream, and an event behind it for the watchdog. \throws
  /// ConfigurationError for a stream of another device, CommunicationError.
  template <class Function>
  void put(char const* operation, CollectivePurpose purpose, CudaStream stream, Function f) {
    throw_if_failed();
    require_device(stream.device());
    DeviceGuard const guard(state_->device());
    auto const current = call(operation, operation, purpose, f);
    state_->watchdog().watch(current, stream);
  }
  /// \throws SequenceError for \p operation, which is no engine's, on the world's stream while an engine records a step
  /// there. What the caller puts on a stream of its own it may have recorded with the step.
  void require_not_recorded(char const* operation, CollectivePurpose const& purpose, CudaStream stream) const {
    if (purpose.engine == 0 && stream == state_->stream() && CudaCapture::records(stream)) throw_recorded(operation);
  }
  /// The same for what is the host's, on whatever stream the engine records.
  void require_not_recorded(char const* operation) const {
    if (CudaCapture::records(state_->stream())) throw_recorded_on_host(operation);
  }
  /// The same for what NCCL moves of \p list; nothing where that is nothing.
  void put_transfers(char const* operation, std::span<zero::Transfer const> list, CollectivePurpose purpose,
                     CudaStream stream) {
    bool const moves =
        std::any_of(list.begin(), list.end(), [&](zero::Transfer const& one) { return moves_by_nccl(one, rank_); });
    if (!moves) return;
    put(operation, purpose, stream,
        [&](ncclComm_t communicator) { return transfer_in_group(list, rank_, communicator, stream.handle()); });
  }
  /// Makes the call `f(communicator)` of NCCL's \p function, as what the ranks name \p operation; it is done when this
  /// returns its label, or goes on on a stream. \throws CommunicationError.
  template <class Function>
  CollectiveLabel call(char const* operation, char const* function, CollectivePurpose purpose, Function const& f) {
    auto const current = label(operation, purpose);
    DeviceGuard const guard(state_->device());
    if (auto const why = state_->handle().call(function, Deadline(state_->deadline()), f)) {
      auto& watchdog = state_->watchdog();
      watchdog.fail(CommunicationFailure::transport, rank_, current, "failed: " + *why);
      state_->handle().await_abort();
      watchdog.throw_if_failed();
    }
    return current;
  }
  /// What has been put on \p stream must pass within the deadline, as if it were a call of its own.
  void watch(char const* operation, CollectivePurpose purpose, CudaStream stream) {
    state_->watchdog().watch(label(operation, purpose), stream);
  }

 private:
  [[nodiscard]] CollectiveLabel label(char const* operation, CollectivePurpose purpose) {
    latest_ = {sequence_++, operation, purpose};
    state_->watchdog().latest(latest_);
    return latest_;
  }
  [[noreturn, gnu::cold]] void throw_stream(int other) const {
    detail::fail<ConfigurationError>({"zero::NcclCommunicator: a stream of device ", other, " for a communicator of ",
                                      "device ", state_->device(), ": set CudaBackend::Config::device to the same"});
  }

  [[noreturn, gnu::cold]] static void throw_recorded(char const* operation) {
    detail::fail<SequenceError>(
        {"zero::NcclCommunicator: ", operation,
         " on the communication stream while an engine records a step there, which would be replayed with that step: "
         "end the recording first: make this call before or after the engine's capture(), or, where it is to be part "
         "of the step, on the stream that was given to capture()"});
  }
  [[noreturn, gnu::cold]] static void throw_recorded_on_host(char const* operation) {
    detail::fail<SequenceError>(
        {"zero::NcclCommunicator: ", operation,
         " while an engine records a step: ranks meet on the host, which cannot be recorded: end the recording first: "
         "make this call before or after the engine's capture()"});
  }

  std::shared_ptr<NcclState> state_;
  int rank_ = 0;
  std::uint64_t sequence_ = 0;
  CollectiveLabel latest_{};
};

}  // namespace zero::detail
