// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/host_executor.hpp>
#include <zero/communicators/collective_stream.hpp>
#include <zero/kernels/accumulate.hpp>
#include <zero/kernels/instruction_set.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace zero {

/// Nothing to wait for: what was called has run.
class HostEvent {
 public:
  /// Blocks the host until what this event was recorded after has run.
  void synchronize() const noexcept {}
  /// Always: operations run when they are called.
  [[nodiscard]] bool done() const noexcept { return true; }
  /// Waits, and gives \p value, which an operation before this event has written.
  template <class Type>
  [[nodiscard]] Type const& read(Type const& value) const noexcept {
    return value;
  }
};

/// The time at which it was recorded.
class HostTimedEvent {
 public:
  /// Takes the time of \p clock, in nanoseconds.
  template <class Stream, class Clock>
  void record(Stream /*stream*/, Clock const& clock) {
    time_ = clock();
  }
  /// Always: operations run when they are called.
  [[nodiscard]] bool done() const noexcept { return true; }
  /// The time from \p earlier to this.
  [[nodiscard]] double nanoseconds_since(HostTimedEvent const& earlier) const noexcept {
    return static_cast<double>(time_ - earlier.time_);
  }
  /// The time that it was recorded at.
  template <class Clock>
  [[nodiscard]] std::int64_t host_time(Clock const& /*clock*/) const noexcept {
    return time_;
  }

 private:
  std::int64_t time_ = 0;
};

/// A stream of the host: operations run at once, in the caller's thread and its executor's. Borrowed.
class HostStream {
 public:
  /// What streams and the host wait for.
  using Event = HostEvent;
  /// Operations run when they are called, so that a call may leave the stream out; see default_stream.
  static constexpr bool runs_at_once = true;
  /// Owner of the unsigned integers that `sum_u64` adds.
  using U64Buffer = std::vector<std::uint64_t>;

  HostStream() = default;
  HostStream(int) = delete;  // a 0 is not a stream
  /// A stream of the engine; \p executor is borrowed.
  explicit HostStream(HostExecutor& executor) noexcept : executor_(&executor) {}

  friend bool operator==(HostStream, HostStream) = default;

  // What in-process communicators are made of: see `collective_stream`.
  /// Adds \p n elements of each source to \p into, source after source; see collective_stream.
  template <class Sum, class Element>
  void accumulate(Sum* into, Element const* const* sources, std::size_t source_count, std::size_t n, bool first) const {
    if (executor_ == nullptr) return zero::accumulate(best_instruction_set(), into, sources, source_count, n, first);
    executor_->for_chunks(n, [&](std::size_t begin, std::size_t end) {
      std::array<Element const*, max_sources> at;
      for (std::size_t q = 0; q < source_count; ++q) at[q] = sources[q] + begin;
      zero::accumulate(executor_->instruction_set(), into + begin, at.data(), source_count, end - begin, first);
    });
  }
  /// Copies bytes in the order of the stream.
  void(copy)(void* to, void const* from, std::size_t bytes) const {
    if (executor_ == nullptr) {
      if (bytes > 0) std::memcpy(to, from, bytes);  // of nothing, it may be nowhere
    } else {
      (executor_->copy)(to, from, bytes);
    }
  }
  /// into[i] = the sum of the sources' i-th unsigned integers; see collective_stream.
  void sum_u64(std::uint64_t* into, std::uint64_t const* const* sources, std::size_t source_count,
               std::size_t n) const noexcept {
    for (std::size_t i = 0; i < n; ++i) {
      std::uint64_t sum = 0;
      for (std::size_t q = 0; q < source_count; ++q) sum += sources[q][i];
      into[i] = sum;
    }
  }
  /// Records the event after the work that is on this stream.
  void record(Event& /*event*/) const noexcept {}
  /// What is put on this stream from now on runs after what the event was recorded after.
  void wait(Event const& /*event*/) const noexcept {}
  /// Host memory is in reach of every rank.
  void enable_peer_access(HostStream /*peer*/) const noexcept {}
  /// Waits, as far as that can be done, until all work on this stream has run.
  void synchronize_noexcept() const noexcept {}
  /// Memory for \p n unsigned integers, for `sum_u64`.
  [[nodiscard]] U64Buffer make_u64_buffer(std::size_t n) const { return U64Buffer(n); }

 private:
  static constexpr std::size_t max_sources = 256;
  // Of the engine's own streams; a caller's stream has none, since nothing heavy of the engine is put there.
  HostExecutor* executor_ = nullptr;
};
static_assert(collective_stream<HostStream>);

}  // namespace zero
