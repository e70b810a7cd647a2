// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/graph.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>

namespace zero::detail {

/// The capture of steps on one device as one backend takes part in it, and the order of events with what a replay has
/// launched. Waits while capturing leave out events that were recorded outside: each replay is launched after that
/// work. Outside of a capture, an event that was recorded in one stands for its latest replay. A thread knows the
/// captures that it has open, so that an engine that takes no part in one puts nothing on its streams: that would be
/// recorded, and not run.
class CudaCapture {
 public:
  explicit CudaCapture(int device) noexcept : device_(device) {}
  CudaCapture(CudaCapture const&) = delete;
  CudaCapture& operator=(CudaCapture const&) = delete;

  /// Whether a capture is open.
  [[nodiscard]] bool capturing() const noexcept { return capture_ != 0; }
  /// Whether an open capture of this thread records \p stream. A comparison where there is none.
  [[nodiscard]] static bool records(CudaStream stream) { return open_here != nullptr && is_capturing(stream); }
  /// The same of one that this backend takes no part in.
  [[nodiscard]] bool captured_by_another(CudaStream stream) const { return capture_ == 0 && records(stream); }
  /// Drops what this thread's captures have recorded, so that \p stream, which others have drawn in, can be waited for.
  /// Who records is told at its next call.
  void abandon_captures_by_others(CudaStream stream) const {
    if (!captured_by_another(stream)) return;
    for (auto* open = open_here; open != nullptr; open = open->outer_) open->interrupt();
  }

  /// Records \p event after the work that is on \p stream.
  void record(CudaEvent& event, CudaStream stream) const {
    require_going_on();
    DeviceGuard const guard(device_);
    event.record(stream.handle(), capture_);
  }
  /// What is put on \p stream from now on waits for \p event.
  void wait(CudaStream stream, CudaEvent const& event) const {
    if (!event.recorded()) return;
    require_going_on();
    DeviceGuard const guard(device_);
    if (event.capture() == capture_) return event.make_wait(stream.handle());
    if (capture_ == 0) replayed_.make_wait(stream.handle());
  }
  /// \p waiting waits for the work that is on \p signalling now.
  void wait_for(CudaStream waiting, CudaStream signalling) const {
    require_going_on();
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
    origin_ = origin;
    outer_ = open_here;
    open_here = this;
    or_abandon([&] { wait_for(own, origin); });
  }
  /// Takes part in the capture of \p origin that \p first has begun.
  void join(CudaStream origin, CudaStream own, CudaCapture const& first) {
    DeviceGuard const guard(device_);
    capture_ = first.capture_;
    first_ = &first;
    wait_for(own, origin);
  }
  /// Takes part no more, before the one that has begun it ends it.
  void leave(CudaStream origin, CudaStream own) {
    DeviceGuard const guard(device_);
    wait_for(origin, own);
    forget();
  }
  /// The same where it was abandoned.
  void forget() noexcept {
    capture_ = 0;
    first_ = nullptr;
  }
  /// Ends the capture; returns what was recorded.
  [[nodiscard]] CudaGraph end(CudaStream origin, CudaStream own) {
    std::optional<DeviceGuard> guard;
    or_abandon([&] {
      guard.emplace(device_);
      wait_for(origin, own);
    });
    close();
    cudaGraph_t graph = nullptr;
    check_cuda(cudaStreamEndCapture(origin.handle(), &graph), "cudaStreamEndCapture");
    return CudaGraph(graph);
  }
  /// Ends the capture and drops what was recorded; nothing where none is open.
  void abandon() noexcept {
    if (capture_ == 0) return;
    interrupt();
    close();
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
  // Where `step` throws, no stream is left in the capture.
  template <class Step>
  void or_abandon(Step&& step) {
    try {
      step();
    } catch (...) {
      abandon();
      throw;
    }
  }

  [[nodiscard]] static bool is_capturing(CudaStream stream) {
    auto status = cudaStreamCaptureStatusNone;
    check_cuda(cudaStreamIsCapturing(stream.handle(), &status), "cudaStreamIsCapturing");
    return status != cudaStreamCaptureStatusNone;
  }
  // Somebody else may have ended it.
  void require_going_on() const {
    if (capture_ != 0 && (first_ != nullptr ? first_ : this)->interrupted_) throw_interrupted();
  }
  // What was recorded is dropped now; that the capture is over its owner finds out.
  void interrupt() noexcept {
    if (std::exchange(interrupted_, true)) return;
    cudaGraph_t graph = nullptr;
    (void)cudaStreamEndCapture(origin_.handle(), &graph);
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    (void)cudaGetLastError();
  }
  void close() noexcept {
    auto** place = &open_here;
    while (*place != this) place = &(*place)->outer_;
    *place = std::exchange(outer_, nullptr);
    interrupted_ = false;
    capture_ = 0;
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void throw_interrupted() {
    fail<SequenceError>(
        {"zero::CudaBackend: the capture was given up, because an engine on one of its streams was destroyed inside "
         "of it: capture the step again, and destroy engines before or after that"});
  }

  static inline thread_local constinit CudaCapture* open_here = nullptr;  // the latest one of this thread

  int device_;
  std::uint64_t capture_ = 0;           // the number of the one that is open
  CudaCapture const* first_ = nullptr;  // who has begun it; null: this one
  CudaCapture* outer_ = nullptr;        // the one that this thread has opened before
  CudaStream origin_;
  bool interrupted_ = false;  // and its owner does not know yet
  CudaEvent replayed_;
};

}  // namespace zero::detail
