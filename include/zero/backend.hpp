// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/memory_report.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>

namespace zero {

/// What a backend's allocator hands out: an address and the bytes that it takes, which may be rounded up.
struct MemoryBlock {
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// One copy of a launch that copies many tensors.
struct CopyRange {
  void* to = nullptr;
  void const* from = nullptr;
  std::size_t bytes = 0;
};

/// A backend: memory of three kinds, streams, events and the few kernels that a step needs. Only its operations touch
/// the engine's buffers. A `Stream` is a trivially copyable reference, passed last and never defaulted; operations may
/// return before they have run, in the order of their stream; an `Event` is recorded on one stream and waited for by
/// another, as far as it had been recorded when the wait was put on the stream; waiting for one that never was is no
/// wait. `synchronize`, `Event::synchronize` and `Event::read` block the host; nothing else does.
///
/// Host code says what it touches of the memory that operations use: `Event::read` gives a value that was written
/// before the event, `host_reads` and `host_writes` announce an access. A checking backend judges them; the others do
/// nothing there.
///
/// Kernels (see backends/host.hpp for their contracts): zero, copy, copy_many, copy_on_host, accumulate, squares,
/// decide, update, update_on_host, cast_on_host.
template <class B>
concept backend_policy = requires(B& backend, typename B::Config config, typename B::Stream stream,
                                  typename B::Event& event, MemoryKind kind, MemoryPurpose purpose, MemoryBlock block,
                                  void* to, void const* from, std::span<CopyRange const> ranges, float const& value) {
  requires std::is_trivially_copyable_v<typename B::Stream>;
  requires std::equality_comparable<typename B::Stream>;
  { backend.allocate(kind, purpose, std::size_t{1}) } -> std::same_as<MemoryBlock>;
  backend.deallocate(kind, block);
  { backend.make_stream(std::string_view("name")) } -> std::same_as<typename B::OwnedStream>;
  backend.record(event, stream);
  backend.wait(stream, event);
  backend.synchronize(stream);
  backend.host_reads(from, std::size_t{1});
  backend.host_writes(from, std::size_t{1});
  event.synchronize();
  { event.done() } -> std::convertible_to<bool>;
  { event.read(value) } -> std::same_as<float const&>;
  backend.zero(to, std::size_t{1}, stream);
  backend.copy(to, from, std::size_t{1}, stream);
  backend.copy_on_host(to, from, std::size_t{1}, stream);
  backend.copy_many(ranges, stream);
};

}  // namespace zero
