// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace zero {

/// A stream as in-process communicators use it, on memory that the ranks of a process all reach:
///
///   accumulate(into, sources, source_count, n, first)  as `reduce_scatter_add` adds, source after source; at most
///                                                      256, and without one a first sum is +0
///   copy(to, from, bytes)                              copies bytes
///   sum_u64(into, sources, source_count, n)            sums unsigned 64-bit integers
///   record(event), wait(event)                         as a backend's
///   enable_peer_access(peer)                           makes sure that it may read the memory of the peer's device
///   synchronize_noexcept()                             waits, as far as that can be done, until all work has run
///   make_u64_buffer(n)                                 an owner of n integers, with data(), for `sum_u64`
///
/// `sources` is an array on the host, read before the call returns.
template <class Stream>
concept collective_stream = requires(Stream const& stream, float* f, float const* const* sources, std::uint64_t* words,
                                     std::uint64_t const* const* word_sources, typename Stream::Event& event) {
  stream.accumulate(f, sources, std::size_t{1}, std::size_t{1}, true);
  (stream.copy)(f, f, std::size_t{1});
  stream.sum_u64(words, word_sources, std::size_t{1}, std::size_t{1});
  stream.record(event);
  stream.wait(event);
  stream.enable_peer_access(stream);
  stream.synchronize_noexcept();
  { stream.make_u64_buffer(std::size_t{1}) } -> std::same_as<typename Stream::U64Buffer>;
};

}  // namespace zero
