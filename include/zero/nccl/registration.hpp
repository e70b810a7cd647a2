// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/bootstrap/detail/deadline.hpp>
#include <zero/nccl/detail/handle.hpp>
#include <zero/nccl/detail/state.hpp>

#include <nccl.h>

#include <memory>
#include <utility>

namespace zero {

class NcclCommunicator;

/// A buffer that NCCL knows, as long as this lives; see `NcclCommunicator::register_buffer`. Move-only. May outlive the
/// communicator.
class NcclRegistration {
 public:
  /// Of no buffer.
  NcclRegistration() = default;
  /// Leaves \p other empty.
  NcclRegistration(NcclRegistration&& other) noexcept
      : state_(std::move(other.state_)), registered_(std::exchange(other.registered_, nullptr)) {}
  /// Leaves \p other with what this one had.
  NcclRegistration& operator=(NcclRegistration&& other) noexcept {
    std::swap(state_, other.state_);
    std::swap(registered_, other.registered_);
    return *this;
  }
  ~NcclRegistration() {
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 19, 0)
    auto const state = state_.lock();
    if (registered_ == nullptr || !state) return;
    try {
      (void)state->handle().call(
          "ncclCommDeregister", detail::Deadline(state->deadline()),
          [this](ncclComm_t communicator) { return ncclCommDeregister(communicator, registered_); });
    } catch (...) {  // out of memory for the message, which nobody would read
    }
#endif
  }
  /// Whether NCCL uses the buffer without copies of its own.
  explicit operator bool() const noexcept { return registered_ != nullptr; }

 private:
  friend class NcclCommunicator;

  // Owns \p registered, of the communicator of \p state.
  NcclRegistration(std::weak_ptr<detail::NcclState> state, void* registered) noexcept
      : state_(std::move(state)), registered_(registered) {}

  std::weak_ptr<detail::NcclState> state_;
  void* registered_ = nullptr;
};

}  // namespace zero
