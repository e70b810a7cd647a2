// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backend.hpp>
#include <zero/backends/host.hpp>
#include <zero/bucket.hpp>
#include <zero/collective_memory.hpp>
#include <zero/cuda/detail/capture.hpp>
#include <zero/cuda/detail/host_tasks.hpp>
#include <zero/cuda/detail/memory.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/device_resource.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/graph.hpp>
#include <zero/cuda/owned_stream.hpp>
#include <zero/cuda/stream.hpp>
#include <zero/cuda/timed_event.hpp>
#include <zero/error.hpp>
#include <zero/kernels/decide.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/kernels/update.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace zero {
/// Model states on one CUDA device, and, offloaded, in host memory. Compiles with any C++ compiler; what launches
/// kernels is defined in zero/engine.cuh, which one .cu includes to instantiate the engines that a program uses.
class CudaBackend {
 public:
  /// What operations are put on; a trivially copyable reference.
  using Stream = CudaStream;
  /// What streams and the host wait for.
  using Event = CudaEvent;
  /// What says when a stream comes to a place.
  using TimedEvent = CudaTimedEvent;
  /// A captured step.
  using Graph = CudaGraph;
  /// What this backend can do besides what backend_policy asks.
  static constexpr BackendFacts facts{.captures_graphs = true,
                                      .synchronizes_all = true,
                                      .checks_adopted = true,
                                      .pins_memory = true,
                                      .allocates_for_collectives = true,
                                      .times_streams = true};
  /// Of device and pinned memory, and what its size is rounded up to.
  static constexpr std::size_t alignment = detail::CudaMemory::alignment;

  /// Settings of this backend; a member of EngineConfig.
  struct Config {
    int device = -1;       ///< ordinal; negative: the current device of the thread that makes the engine
    int host_threads = 0;  ///< for what is offloaded; 0: the machine's cores divided by the ranks that share them
    /// Where device memory comes from; default: cudaMalloc. Memory that a communicator wants to know, as
    /// NcclCommunicator does, comes from there all the same.
    DeviceResource resource{};
  };

  /// Owns a stream of the engine.
  using OwnedStream = CudaOwnedStream;

  /// \p local_ranks is the number of ranks on this machine.
  /// \throws CudaError without a driver or a GPU, ConfigurationError for settings that cannot work.
  CudaBackend(Config const& config, int local_ranks)
      : device_(checked_device(config.device)),
        host_({.threads = config.host_threads}, local_ranks),
        host_tasks_(device_),
        memory_(device_, config.resource),
        capture_(device_) {
    check_cuda(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device_),
               "cudaDeviceGetAttribute");
  }
  CudaBackend(CudaBackend const&) = delete;
  CudaBackend& operator=(CudaBackend const&) = delete;

  /// Number of the device that all memory and streams of this backend belong to.
  [[nodiscard]] int device() const noexcept { return device_; }

  // ------------------------------------------------------------------------------------------------- memory

  /// Zero-filled. Blocks. \throws CudaError; std::bad_alloc for pageable memory.
  [[nodiscard]] MemoryBlock allocate(MemoryKind kind, MemoryPurpose purpose, std::size_t bytes) {
    return memory_.allocate(kind, purpose, bytes);
  }
  /// Gives back what `allocate` has handed out. Nothing may use it any more.
  void deallocate(MemoryKind kind, MemoryBlock block) noexcept { memory_.deallocate(kind, block); }
  /// Device memory that collectives use comes from \p memory, from here to `close_collective_memory`, which says what.
  void allocate_for_collectives_from(CollectiveMemory memory) noexcept {
    memory_.allocate_for_collectives_from(std::move(memory));
  }
  /// Ends the allocations for collectives; returns the blocks that were handed out.
  [[nodiscard]] std::span<MemoryBlock const> close_collective_memory() noexcept { return memory_.close_collective(); }
  /// Bytes handed out now, and at most, by kind; and blocks handed out in all.
  [[nodiscard]] std::size_t bytes_in_use(MemoryKind kind) const noexcept { return memory_.use().in_use(kind); }
  /// Bytes of one kind that were handed out at most at a time.
  [[nodiscard]] std::size_t peak_bytes(MemoryKind kind) const noexcept { return memory_.use().peak(kind); }
  /// Blocks that were handed out since construction.
  [[nodiscard]] std::uint64_t allocations() const noexcept { return memory_.use().allocations(); }

  /// Pins the caller's host memory until the owner that is returned goes. Not in the engine's memory report. \throws
  /// CudaError.
  [[nodiscard]] std::shared_ptr<void> pin(std::span<std::byte> memory) const { return memory_.pin(memory); }

  /// \throws ConfigurationError unless this device's kernels reach the caller's buffer at \p data.
  void check_adopted(void const* data, std::string_view parameter) const {
    cudaPointerAttributes attributes{};
    check_cuda(cudaPointerGetAttributes(&attributes, data), "cudaPointerGetAttributes");
    bool const managed = attributes.type == cudaMemoryTypeManaged;
    if (managed || (attributes.type == cudaMemoryTypeDevice && attributes.device == device_)) return;
    auto const where = attributes.type == cudaMemoryTypeDevice ? "memory of another device" : "host memory";
    detail::fail<ConfigurationError>({"zero::CudaBackend: parameter ", detail::quote(parameter), " has adopted ", where,
                                      ": give buffers of device ", device_, ", from cudaMalloc"});
  }

  // ------------------------------------------------------------------------------------------------- order

  /// The engine's own streams go first where work competes: what they do is waited for.
  [[nodiscard]] OwnedStream make_stream(std::string_view /*name*/) { return OwnedStream::make(device_); }
  /// Records \p event after the work that is on \p stream.
  void record(Event& event, Stream stream) { capture_.record(event, stream); }
  /// While capturing, waits for events that were recorded outside are dropped: each replay is launched after that work.
  /// Outside of a capture, an event that was recorded in one stands for its latest replay.
  void wait(Stream stream, Event const& event) { capture_.wait(stream, event); }
  /// Blocks the host until all work on \p stream has run.
  void synchronize(Stream stream) {
    DeviceGuard const guard(device_);
    check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
  }
  /// Waits for all that was put on this device, where it is not known what there is to wait for.
  void synchronize_all() noexcept {
    int before = device_;
    (void)cudaGetDevice(&before);
    (void)cudaSetDevice(device_);
    (void)cudaDeviceSynchronize();
    (void)cudaSetDevice(before);
  }
  /// The host is about to read these bytes, which operations use.
  void host_reads(void const* /*from*/, std::size_t /*bytes*/) noexcept {}
  /// The host is about to write these bytes, which operations use.
  void host_writes(void const* /*to*/, std::size_t /*bytes*/) noexcept {}

  // ------------------------------------------------------------------------------------------------- capture

  /// From here to `end_capture` nothing runs: what is put on \p origin and on \p own, the engine's own stream, and on
  /// streams that wait for them, is recorded. Other threads may go on using the device. Until the first replay, and
  /// where none follows, events of the capture stand for what both streams had done before.
  void begin_capture(Stream origin, Stream own) { capture_.begin(origin, own); }
  /// Ends the capture; returns what was recorded. See capturing_backend.
  [[nodiscard]] Graph end_capture(Stream origin, Stream own) { return capture_.end(origin, own); }
  /// Ends the capture and drops what was recorded. See capturing_backend.
  void abandon_capture(Stream /*origin*/) noexcept { capture_.abandon(); }
  /// The same for further backends of one capture, each of which has an engine that takes part in the step: before
  /// \p origin begins the capture,
  void prepare_capture(Stream origin, Stream own) { capture_.prepare(origin, own); }
  /// after \p first has begun it,
  void join_capture(Stream origin, Stream own, CudaBackend const& first) { capture_.join(origin, own, first.capture_); }
  /// before \p first ends it,
  void leave_capture(Stream origin, Stream own) { capture_.leave(origin, own); }
  /// and where \p first abandons it.
  void forget_capture() noexcept { capture_.forget(); }
  /// Runs what was captured, in the order of \p origin. See capturing_backend.
  void launch(Graph const& graph, Stream origin) {
    DeviceGuard const guard(device_);
    graph.launch(origin.handle());
  }
  /// Makes \p own, and later waiters for events of the capture, wait for the work on \p origin.
  void end_replay(Stream origin, Stream own) { capture_.end_replay(origin, own); }
  /// \p waiting waits for the work that is on \p signalling now. Does not block the host.
  void wait_for(Stream waiting, Stream signalling) { capture_.wait_for(waiting, signalling); }
  /// Whether a capture is open.
  [[nodiscard]] bool capturing() const noexcept { return capture_.capturing(); }
  /// Whether this thread has a capture open that this backend takes no part in, and that records \p stream. A
  /// comparison where it has none. \throws CudaError.
  [[nodiscard]] bool captured_by_another(Stream stream) const { return capture_.captured_by_another(stream); }
  /// Gives such a capture up, so that \p stream can be waited for: its owner's next call throws SequenceError. \throws
  /// CudaError.
  void abandon_captures_by_others(Stream stream) { capture_.abandon_captures_by_others(stream); }

  // ------------------------------------------------------------------------------------------------- operations

  /// Fills with zero bytes, in the order of the stream.
  void zero(void* to, std::size_t bytes, Stream stream) { stream.zero(to, bytes); }
  /// Between any two kinds of memory, also memory of the caller; blocks where that is not pinned.
  void(copy)(void* to, void const* from, std::size_t bytes, Stream stream) {
    // The runtime reads and writes pageable memory when it is called, whatever is on the stream before.
    if (memory_.is_pageable(to) || memory_.is_pageable(from)) synchronize(stream);
    (stream.copy)(to, from, bytes);
  }
  /// Between two places of host memory, by the host, in the order of \p stream.
  void copy_on_host(void* to, void const* from, std::size_t bytes, Stream stream) {
    host_tasks_.put(stream, {{from, bytes, false}, {to, bytes, true}},
                    [this, to, from, bytes] { (host_.copy)(to, from, bytes, {}); });
  }
  /// One launch, for up to some thousand tensors.
  void copy_many(std::span<CopyRange const> ranges, Stream stream) {
    launch_copies(ranges.data(), ranges.size(), stream);
  }

  /// into[i] += from[i] for \p n elements, rounded to Sum; copied where \p first.
  template <class Sum, class Element>
  void accumulate(Sum* into, Element const* from, std::size_t n, bool first, Stream stream) {
    stream.accumulate(into, &from, 1, n, first);
  }
  /// Adds the squares of a slice to the norm; see norm_backend.
  template <class Sum>
  ZERO_LAUNCHES_KERNELS void squares(NormWords norm, SegmentView const& segments, Sum const* slice, Stream stream);
  /// Runs zero::decide once; see deciding_backend.
  template <class Rule, class Scaler>
  ZERO_LAUNCHES_KERNELS void decide(DecisionArguments<Rule, Scaler> const& arguments, Stream stream);
  /// The fused update of the segments of a slice; see updating_backend.
  template <class Rule, class Compute, class Sum>
  ZERO_LAUNCHES_KERNELS void update(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
                                    Decision<Rule> const* decision, Stream stream);

  /// Between two places of host memory, by the host, in the order of \p stream.
  template <class To, class From>
  void cast_on_host(To* to, From const* from, std::size_t n, Stream stream) {
    host_tasks_.put(stream, {{from, n * sizeof(From), false}, {to, n * sizeof(To), true}},
                    [this, to, from, n] { host_.cast_on_host(to, from, n, {}); });
  }

  /// The update of offloaded states, by the host, in the order of \p stream. \p segments must stay where they are.
  template <class Rule, class Compute, class Sum>
  void update_on_host(SegmentView const& segments, UpdateArguments<Rule, Compute, Sum> const& base,
                      Decision<Rule> const* decision, Stream stream) {
    std::size_t const n = segments.extent();
    std::vector<detail::HostTask::Range> touches{{decision, sizeof *decision, false},
                                                 {base.gradient, n * sizeof(Sum), false},
                                                 {base.master, n * sizeof(float), true}};
    if (base.value != nullptr) touches.push_back({base.value, n * sizeof(Compute), true});
    for (auto* state : base.states) touches.push_back({state, n * sizeof(float), true});
    host_tasks_.put(stream, std::move(touches),
                    [this, segments, base, decision] { host_.update(segments, base, decision, {}); });
  }

 private:
  template <class Range>
  ZERO_LAUNCHES_KERNELS void launch_copies(Range const* ranges, std::size_t count, Stream stream);

  int device_;
  int multiprocessors_ = 0;
  HostBackend host_;
  detail::HostTasks host_tasks_;
  detail::CudaMemory memory_;
  detail::CudaCapture capture_;
};
static_assert(backend_policy<CudaBackend>);
static_assert(timing_backend<CudaBackend>);

}  // namespace zero
