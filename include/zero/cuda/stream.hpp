// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/communicator.hpp>
#include <zero/communicators/collective_stream.hpp>
#include <zero/cuda/detail/event_query.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/device_array.hpp>
#include <zero/cuda/error.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <utility>

// Launches kernels: defined in a .cuh, declared for every compiler. Hidden, so that two shared libraries in one process
// that were built for different GPUs each launch their own.
#define ZERO_LAUNCHES_KERNELS [[gnu::visibility("hidden"), gnu::noinline]]

namespace zero {

/// An event of a device, made when it is first recorded; one that never was has passed. Move-only.
class CudaEvent {
 public:
  CudaEvent() = default;
  /// Leaves \p other empty.
  CudaEvent(CudaEvent&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), capture_(std::exchange(other.capture_, 0)) {}
  /// Leaves \p other with what this one had.
  CudaEvent& operator=(CudaEvent&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(capture_, other.capture_);
    return *this;
  }
  ~CudaEvent() {
    if (handle_ != nullptr) (void)cudaEventDestroy(handle_);
  }

  /// Blocks the host. \throws CudaError, also for an earlier operation that failed on the device.
  void synchronize() const {
    if (handle_ != nullptr) check_cuda(cudaEventSynchronize(handle_), "cudaEventSynchronize");
  }
  /// Whether what this event was recorded after has run. Does not block.
  [[nodiscard]] bool done() const { return detail::has_passed(handle_); }
  /// Waits, and gives \p value, which an operation before this event has written.
  template <class Type>
  [[nodiscard]] Type const& read(Type const& value) const {
    synchronize();
    return value;
  }

  /// Takes notice of what has been put on \p stream, on the current device. \p capture: the number of the capture that
  /// the stream is part of; 0: none.
  void record(cudaStream_t stream, std::uint64_t capture = 0) {
    if (handle_ == nullptr) {
      check_cuda(cudaEventCreateWithFlags(&handle_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    }
    check_cuda(cudaEventRecord(handle_, stream), "cudaEventRecord");
    capture_ = capture;
  }
  /// What is put on \p stream from now on waits for what was recorded.
  void make_wait(cudaStream_t stream) const {
    if (handle_ != nullptr) check_cuda(cudaStreamWaitEvent(stream, handle_, 0), "cudaStreamWaitEvent");
  }
  /// Whether it was ever recorded; waiting for one that was not is no wait.
  [[nodiscard]] bool recorded() const noexcept { return handle_ != nullptr; }
  /// The capture in which it was recorded last; 0: none.
  [[nodiscard]] std::uint64_t capture() const noexcept { return capture_; }

 private:
  cudaEvent_t handle_ = nullptr;
  std::uint64_t capture_ = 0;
};

/// A stream of a device. Borrowed: whoever made it destroys it, after the engine.
class CudaStream {
 public:
  /// What streams and the host wait for.
  using Event = CudaEvent;
  /// Owner of the unsigned integers that `sum_u64` adds.
  using U64Buffer = DeviceArray<std::uint64_t>;

  CudaStream() = default;
  CudaStream(int) = delete;  // a 0 is not a stream
  /// The caller's own stream, of the calling thread's current device.
  explicit CudaStream(cudaStream_t handle) : handle_(handle), device_(current_device()) {}
  /// Of the device of this number.
  CudaStream(cudaStream_t handle, int device) noexcept : handle_(handle), device_(device) {}

  /// The runtime's stream.
  [[nodiscard]] cudaStream_t handle() const noexcept { return handle_; }
  /// Number of the device that it belongs to.
  [[nodiscard]] int device() const noexcept { return device_; }
  friend bool operator==(CudaStream, CudaStream) = default;

  // What in-process communicators are made of: see `collective_stream`. Needs zero/engine.cuh where it is instantiated.
  /// Adds \p n elements of each source to \p into, source after source; see collective_stream.
  template <class Sum, class Element>
  ZERO_LAUNCHES_KERNELS void accumulate(Sum* into, Element const* const* sources, std::size_t source_count,
                                        std::size_t n, bool first) const;
  /// into[i] = the sum of the sources' i-th unsigned integers; see collective_stream.
  template <class Word>
  ZERO_LAUNCHES_KERNELS void sum_u64(Word* into, Word const* const* sources, std::size_t source_count,
                                     std::size_t n) const;
  /// Sets \p n elements at \p to to -0, which changes no sum.
  template <class Element>
  ZERO_LAUNCHES_KERNELS void fill_negative_zero(Element* to, std::size_t n) const;
  /// Sets bytes to 0 in the order of the stream.
  void zero(void* to, std::size_t bytes) const {
    DeviceGuard const guard(device_);
    check_cuda(cudaMemsetAsync(to, 0, bytes, handle_), "cudaMemsetAsync");
  }
  /// Copies bytes in the order of the stream.
  void(copy)(void* to, void const* from, std::size_t bytes) const {
    DeviceGuard const guard(device_);
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, handle_), "cudaMemcpyAsync");
  }
  /// Records the event after the work that is on this stream.
  void record(Event& event) const {
    DeviceGuard const guard(device_);
    event.record(handle_);
  }
  /// What is put on this stream from now on runs after what the event was recorded after.
  void wait(Event const& event) const {
    DeviceGuard const guard(device_);
    event.make_wait(handle_);
  }
  /// \throws ConfigurationError where this device cannot read the peer's memory.
  void enable_peer_access(CudaStream const& peer) const {
    if (peer.device_ == device_) return;
    DeviceGuard const guard(device_);
    int possible = 0;
    check_cuda(cudaDeviceCanAccessPeer(&possible, device_, peer.device_), "cudaDeviceCanAccessPeer");
    if (possible == 0) {
      detail::fail<ConfigurationError>({"zero::ThreadCommunicator: device ", device_,
                                        " cannot read the memory of device ", peer.device_,
                                        ": use one device for all ranks, or zero::NcclCommunicator"});
    }
    auto const code = cudaDeviceEnablePeerAccess(peer.device_, 0);
    if (code == cudaErrorPeerAccessAlreadyEnabled) {
      (void)cudaGetLastError();
    } else {
      check_cuda(code, "cudaDeviceEnablePeerAccess");
    }
  }
  /// Waits, as far as that can be done, until all work on this stream has run.
  void synchronize_noexcept() const noexcept { (void)cudaStreamSynchronize(handle_); }
  /// Memory for \p n unsigned integers, for `sum_u64`.
  [[nodiscard]] U64Buffer make_u64_buffer(std::size_t n) const { return U64Buffer(device_, n); }

 private:
  cudaStream_t handle_ = nullptr;
  int device_ = 0;
};
static_assert(collective_stream<CudaStream>);

}  // namespace zero
