// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/detail/event_query.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime_api.h>

#include <cstdint>
#include <utility>

namespace zero {

/// An event that keeps the time at which a stream came to it; made when it is first recorded. Move-only.
class CudaTimedEvent {
 public:
  CudaTimedEvent() = default;
  /// Leaves \p other empty.
  CudaTimedEvent(CudaTimedEvent&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  /// Leaves \p other with what this one had.
  CudaTimedEvent& operator=(CudaTimedEvent&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~CudaTimedEvent() {
    if (handle_ != nullptr) (void)cudaEventDestroy(handle_);
  }

  /// Takes notice of when \p stream comes here; it is of one device always. Does not block. \throws CudaError.
  template <class Clock>
  void record(CudaStream stream, Clock const& /*clock*/) {
    DeviceGuard const guard(stream.device());
    if (handle_ == nullptr)
      check_cuda(cudaEventCreateWithFlags(&handle_, cudaEventDefault), "cudaEventCreateWithFlags");
    check_cuda(cudaEventRecord(handle_, stream.handle()), "cudaEventRecord");
  }
  /// Whether the stream has come there. Does not block. \throws CudaError, also for an operation that failed.
  [[nodiscard]] bool done() const { return detail::has_passed(handle_); }
  /// The time from \p earlier to this, both of which are done and of one device; to half a microsecond where they are
  /// not more than seconds apart. \throws CudaError.
  [[nodiscard]] double nanoseconds_since(CudaTimedEvent const& earlier) const {
    float milliseconds = 0.0F;
    check_cuda(cudaEventElapsedTime(&milliseconds, earlier.handle_, handle_), "cudaEventElapsedTime");
    return static_cast<double>(milliseconds) * 1e6;
  }
  /// Blocks the host until the stream has come there, and gives the time of \p clock then. \throws CudaError.
  template <class Clock>
  [[nodiscard]] std::int64_t host_time(Clock const& clock) const {
    check_cuda(cudaEventSynchronize(handle_), "cudaEventSynchronize");
    return clock();
  }

 private:
  cudaEvent_t handle_ = nullptr;
};

}  // namespace zero
