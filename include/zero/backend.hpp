// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/memory_report.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace zero {

/// What a backend's allocator hands out: an address and the bytes that it takes, which may be rounded up.
struct MemoryBlock {
  void* data = nullptr;   ///< first byte
  std::size_t bytes = 0;  ///< bytes
};

/// One copy of a launch that copies many tensors.
struct CopyRange {
  void* to = nullptr;          ///< first byte to write
  void const* from = nullptr;  ///< first byte to read
  std::size_t bytes = 0;       ///< bytes
};

/// What a backend can, besides memory, streams, copies and kernels: `static constexpr BackendFacts facts{...};`. A fact
/// that is true requires its members, and a member without its fact is refused by the engine.
struct BackendFacts {
  /// Records what is put on streams and runs it again; see capturing_backend.
  bool captures_graphs = false;
  /// `synchronize_all() noexcept` waits for the whole device, after a failure that leaves open what runs.
  bool synchronizes_all = false;
  /// `check_adopted(data, parameter)` throws ConfigurationError for a buffer of the caller's that kernels cannot read.
  bool checks_adopted = false;
  /// `pin(bytes)` locks memory of the caller's for fast copies, for as long as the std::shared_ptr<void> lives.
  bool pins_memory = false;
  /// `name_memory(data, bytes, name)` takes names for messages, where `wants_names()`.
  bool names_memory = false;
  /// `record(event, stream, site)` and `wait(stream, event, site)` take the CallSite that orders.
  bool takes_call_sites = false;
  /// `allocate_for_collectives_from(memory)` takes the memory of collectives from the communicator;
  /// `close_collective_memory()` returns the blocks that it has handed out.
  bool allocates_for_collectives = false;
  /// Says when a stream comes to a place; see timing_backend.
  bool times_streams = false;
  /// Operations have run when their call returns, so that the caller's stream has waited for those of all streams.
  bool runs_at_once = false;
};

/// The facts of \p Backend; none where it publishes none.
template <class Backend>
[[nodiscard]] constexpr BackendFacts backend_facts() noexcept {
  if constexpr (requires { Backend::facts; }) {
    return Backend::facts;
  } else {
    return {};
  }
}

/// What a call without a stream is put on: for streams of the host only, on which operations run when they are called.
/// Those of a device are named, because work on another stream is not ordered with it.
template <class Stream>
[[nodiscard]] constexpr Stream default_stream() noexcept {
  static_assert(
      requires { requires Stream::runs_at_once; },
      "zero::Engine: a call without a stream is for zero::HostBackend: pass the stream that this model's work "
      "is put on");
  return Stream();
}

/// A backend: memory of three kinds, streams, events and the few kernels that a step needs. Only its operations touch
/// the engine's buffers. A `Stream` is a trivially copyable reference, passed last and never defaulted; operations may
/// return before they have run, in the order of their stream; an `Event` is recorded on one stream and waited for by
/// another, as far as it had been recorded when the wait was put on the stream; waiting for one that never was is no
/// wait. `synchronize`, `Event::synchronize` and `Event::read` block the host; nothing else does.
///
/// An engine makes its backend from the configuration and the number of ranks that share this machine. `allocate` gives
/// memory that is full of zeros and aligned for every type of elements; it may block.
///
/// Host code says what it touches of the memory that operations use: `Event::read` gives a value that was written
/// before the event, `host_reads` and `host_writes` announce an access. A checking backend judges them; the others do
/// nothing there.
///
/// The kernels of an engine's types are a concept of their own: kernel_backend in backend_kernels.hpp.
template <class Backend>
concept backend_policy = requires(Backend& backend, typename Backend::OwnedStream const& owned,
                                  typename Backend::Stream stream, typename Backend::Event& event,
                                  typename Backend::Event const& recorded, MemoryKind kind, MemoryPurpose purpose,
                                  MemoryBlock block, void* to, void const* from, std::span<CopyRange const> ranges,
                                  float const& value) {
  requires std::constructible_from<Backend, typename Backend::Config const&, int>;
  requires std::is_trivially_copyable_v<typename Backend::Stream> &&
      std::default_initializable<typename Backend::Stream>;
  requires std::equality_comparable<typename Backend::Stream>;
  requires std::default_initializable<typename Backend::Event>;
  { backend.allocate(kind, purpose, std::size_t{1}) } -> std::same_as<MemoryBlock>;
  backend.deallocate(kind, block);
  { backend.make_stream(std::string_view("name")) } -> std::same_as<typename Backend::OwnedStream>;
  { owned.get() } -> std::same_as<typename Backend::Stream>;
  backend.record(event, stream);
  backend.wait(stream, recorded);
  backend.synchronize(stream);
  backend.host_reads(from, std::size_t{1});
  backend.host_writes(from, std::size_t{1});
  recorded.synchronize();
  { recorded.done() } -> std::convertible_to<bool>;
  { recorded.read(value) } -> std::same_as<float const&>;
  backend.zero(to, std::size_t{1}, stream);
  (backend.copy)(to, from, std::size_t{1}, stream);
  backend.copy_on_host(to, from, std::size_t{1}, stream);
  backend.copy_many(ranges, stream);
};

/// A backend whose streams can be recorded into a graph that is launched later. `origin` is the caller's stream, `own`
/// the engine's.
///
///   begin_capture(origin, own)     from here on what is put on both is recorded, and not run
///   end_capture(origin, own)       returns what was recorded
///   abandon_capture(origin)        drops it; noexcept
///   launch(graph, origin)          runs it in the order of `origin`
///   end_replay(origin, own)        `own` waits for what was launched
///   wait_for(waiting, signalling)  a stream waits for the work on another
///   capturing()                    whether a capture is open
///   captured_by_another(stream)    whether one of the calling thread records \p stream in which this backend takes no
///                                  part: engines then refuse calls that would put something there
///   abandon_captures_by_others(stream)  gives such a capture up; where an engine ends that has to wait for \p stream
template <class Backend>
concept capturing_backend = requires(Backend& backend, typename Backend::Stream stream,
                                     typename Backend::Graph const& graph) {
  backend.begin_capture(stream, stream);
  { backend.end_capture(stream, stream) } -> std::same_as<typename Backend::Graph>;
  { backend.abandon_capture(stream) }
  noexcept;
  backend.launch(graph, stream);
  backend.end_replay(stream, stream);
  backend.wait_for(stream, stream);
  { backend.capturing() } -> std::convertible_to<bool>;
  { backend.captured_by_another(stream) } -> std::convertible_to<bool>;
  backend.abandon_captures_by_others(stream);
};

/// A backend that says when its streams come to a place, by a `TimedEvent` that is recorded there.
///
///   record(stream, clock)        takes notice of when \p stream comes here; does not block. `clock()` gives
///                                nanoseconds, for a backend whose streams have no clock of their own
///   done()                       whether it has come there; does not block
///   nanoseconds_since(earlier)   the time from another event to this one, both done, on one device
///   host_time(clock)             waits, and gives the time of the host at which the stream came there, or shortly
///   after
template <class Backend>
concept timing_backend = Backend::facts.times_streams&& requires(typename Backend::TimedEvent& event,
                                                                 typename Backend::TimedEvent const& recorded,
                                                                 typename Backend::Stream stream,
                                                                 std::int64_t (*clock)()) {
  requires std::default_initializable<typename Backend::TimedEvent>;
  event.record(stream, clock);
  { recorded.done() } -> std::convertible_to<bool>;
  { recorded.nanoseconds_since(recorded) } -> std::convertible_to<double>;
  { recorded.host_time(clock) } -> std::convertible_to<std::int64_t>;
};

}  // namespace zero
