// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/graph.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdint>
#include <optional>

namespace zero::detail {

/// The capture of steps on one device as one backend takes part in it, and the order of events with what a replay has
/// launched. Waits while capturing leave out events that were recorded outside: each replay is launched after that
/// work. Outside of a capture, an event that was recorded in one stands for its latest replay.
class CudaCapture {
 public:
  explicit CudaCapture(int device) noexcept : device_(device) {}

  /// Whether a capture is open.
  [[nodiscard]] bool capturing() const noexcept { return capture_ != 0; }

  /// Records \p event after the work that is on \p stream.
  void record(CudaEvent& event, CudaStream stream) const {
    DeviceGuard const guard(device_);
    event.record(stream.handle(), capture_);
  }
  /// What is put on \p stream from now on waits for \p event.
  void wait(CudaStream stream, CudaEvent const& event) const {
    if (!event.recorded()) return;
    DeviceGuard const guard(device_);
    if (event.capture() == capture_) return event.make_wait(stream.handle());
    if (capture_ == 0) replayed_.make_wait(stream.handle());
  }
  /// \p waiting waits for the work that is on \p signalling now.
  void wait_for(CudaStream waiting, CudaStream signalling) const {
    DeviceGuard const guard(device_);
    CudaEvent reached;
    reached.record(signalling.handle(), capture_);
    reached.make_wait(waiting.handle());
  }

  /// Brings \p origin behind what \p own has, before a capture. Until the first replay, and where none follows, events
  /// of the capture stand for what both had done before.
  void prepare(CudaStream origin, CudaStream own) {
    DeviceGuard const guard(device_);
    wait_for(origin, own);
    replayed_.record(origin.handle());
  }
  /// Records what is put on \p origin, \p own and on streams that wait for them, until `end`.
  void begin(CudaStream origin, CudaStream own) {
    DeviceGuard const guard(device_);
    prepare(origin, own);
    check_cuda(cudaStreamBeginCapture(origin.handle(), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
    capture_ = next();
    or_abandon(origin, [&] { wait_for(own, origin); });
  }
  /// Takes part in the capture of \p origin that \p first has begun.
  void join(CudaStream origin, CudaStream own, CudaCapture const& first) {
    DeviceGuard const guard(device_);
    capture_ = first.capture_;
    wait_for(own, origin);
  }
  /// Takes part no more, before the one that has begun it ends it.
  void leave(CudaStream origin, CudaStream own) {
    DeviceGuard const guard(device_);
    wait_for(origin, own);
    capture_ = 0;
  }
  /// The same where it was abandoned.
  void forget() noexcept { capture_ = 0; }
  /// Ends the capture; returns what was recorded.
  [[nodiscard]] CudaGraph end(CudaStream origin, CudaStream own) {
    std::optional<DeviceGuard> guard;
    or_abandon(origin, [&] {
      guard.emplace(device_);
      wait_for(origin, own);
    });
    capture_ = 0;
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(origin.handle(), &graph), "cudaStreamEndCapture");
    return CudaGraph(graph);
  }
  /// Ends the capture and drops what was recorded.
  void abandon(CudaStream origin) noexcept {
    capture_ = 0;
    cudaGraph_t graph = nullptr;
    (void)cudaStreamEndCapture(origin.handle(), &graph);
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    (void)cudaGetLastError();
  }
  /// \p origin has had a graph launched: \p own, and later waiters for events of the capture, wait for it.
  void end_replay(CudaStream origin, CudaStream own) {
    DeviceGuard const guard(device_);
    replayed_.record(origin.handle());
    replayed_.make_wait(own.handle());
  }

 private:
  // Of all backends: an event that one records in a capture may be waited for by another.
  [[nodiscard]] static std::uint64_t next() noexcept {
    static std::atomic<std::uint64_t> captures{0};
    return ++captures;
  }
  // Where `step` throws, no stream is left in the capture of `origin`.
  template <class Step>
  void or_abandon(CudaStream origin, Step&& step) {
    try {
      step();
    } catch (...) {
      abandon(origin);
      throw;
    }
  }

  int device_;
  std::uint64_t capture_ = 0;  // the number of the one that is open
  CudaEvent replayed_;
};

}  // namespace zero::detail
