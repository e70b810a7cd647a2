// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace zero {

/// What a collective is for: names it in errors and traces.
struct CollectivePurpose {
  std::string_view what;
  std::size_t bucket = CommunicationError::no_bucket;
};

/// The ranks that train together. Every rank calls the same collectives in the same order. Collectives on buffers are
/// operations of a stream: they may return before they have run, and the buffers stay in use until the stream has
/// passed them. `exchange` and `rank`, `size`, `local_size` are the host's.
///
///   reduce_scatter_add(send, into, count, first, purpose, stream)
///     send: size x count elements of T, slice r for rank r. into: count elements of S, this rank's. For every element,
///     the addends of ranks 0, 1, ... are added in that order in fp32 and rounded to S after each; the sum starts from
///     what `into` holds, or, if first, from rank 0's addend. `into` may be this rank's slice of `send` where T and S
///     have the same size.
///   all_gather(own, full, count, purpose, stream)
///     own: count elements, this rank's; full: size x count elements, of which slice r comes from rank r. `own` may be
///     this rank's slice of `full`.
///   all_reduce(words, count, purpose, stream)
///     sums unsigned integers over the ranks, in place.
///   exchange(mine, all)
///     all: size x mine.size() bytes, of which part r comes from rank r; blocks.
///
/// Optional:
///   staging_bytes<S, T>(count)
///     bytes of device memory that `reduce_scatter_add` of slices of up to count elements needs; it takes them as a
///     last argument then, a std::span<std::byte> that the engine has accounted.
///   check()
///     throws CommunicationError where a rank has failed, so that what a stream has brought since may be anything.
///   can_be_captured
///     true where collectives can be recorded into a CUDA graph.
///   watch(purpose, stream)
///     called behind a recorded step that was launched: all ranks fail where it does not pass within the deadline.
///
/// \throws CommunicationError on every rank within the communicator's deadline when one fails, leaves or differs.
template <class C, class Stream>
concept communicator_on = requires(C& c, float* f, std::uint64_t* words, CollectivePurpose purpose, Stream stream,
                                   std::span<std::byte const> mine, std::span<std::byte> all) {
  { c.rank() } -> std::convertible_to<int>;
  { c.size() } -> std::convertible_to<int>;
  { c.local_size() } -> std::convertible_to<int>;  // ranks that share this machine's cores
  c.reduce_scatter_add(f, f, std::size_t{1}, true, purpose, stream);
  c.all_gather(f, f, std::size_t{1}, purpose, stream);
  c.all_reduce(words, std::size_t{1}, purpose, stream);
  c.exchange(mine, all);
};

/// A stream as in-process communicators use it, on memory that the ranks of a process all reach:
///
///   accumulate(into, sources, source_count, n, first)   as `reduce_scatter_add` adds, source after source; at most 256
///   copy(to, from, bytes)
///   add_words(into, sources, source_count, n)            sums 64-bit words
///   record(event), wait(event)                           as a backend's
///   reach(peer)                                          makes sure that it may read what the peer's device holds
///   settle()                                             waits, as far as that can be done, until all has run
///   make_words(n)                                        an owner of n words, with data(), for `add_words`
///
/// `sources` is an array on the host, read before the call returns.
template <class S>
concept collective_stream = requires(S const& stream, float* f, float const* const* sources, std::uint64_t* words,
                                     std::uint64_t const* const* word_sources, typename S::Event& event) {
  stream.accumulate(f, sources, std::size_t{1}, std::size_t{1}, true);
  stream.copy(f, f, std::size_t{1});
  stream.add_words(words, word_sources, std::size_t{1}, std::size_t{1});
  stream.record(event);
  stream.wait(event);
  stream.reach(stream);
  stream.settle();
  { stream.make_words(std::size_t{1}) } -> std::same_as<typename S::Words>;
};

/// What one rank has sent in the collectives of an engine, in elements of the type that travels. In units of
/// elements x (world - 1) / world, as the field counts.
struct Traffic {
  std::uint64_t gradients = 0;      ///< reduce-scatters of gradients
  std::uint64_t gradient_sums = 0;  ///< stage 0: all-gathers of reduced gradients
  std::uint64_t parameters = 0;     ///< stages 1, 2 and whole parameters of stage 3: all-gathers after the update
  std::uint64_t gathered = 0;       ///< stage 3: gathers inside micro-batches
  std::uint64_t evaluation = 0;     ///< stage 3: gathers outside of micro-batches
  std::uint64_t access = 0;         ///< parameters, gradients and states read by name
  std::uint64_t control_words = 0;  ///< 64-bit words of the norm's all-reduces, not scaled
  std::uint64_t collectives = 0;    ///< calls

  /// Elements of the training step: all but evaluation, access and control.
  [[nodiscard]] std::uint64_t training() const noexcept { return gradients + gradient_sums + parameters + gathered; }
  friend bool operator==(Traffic const&, Traffic const&) = default;

  [[nodiscard]] Traffic operator+(Traffic const& other) const noexcept { return combined(other, 1); }
  [[nodiscard]] Traffic operator-(Traffic const& other) const noexcept { return combined(other, UINT64_MAX); }

 private:
  // Modulo 2^64, where a factor of -1 is UINT64_MAX.
  [[nodiscard]] Traffic combined(Traffic const& o, std::uint64_t factor) const noexcept {
    return {gradients + factor * o.gradients,         gradient_sums + factor * o.gradient_sums,
            parameters + factor * o.parameters,       gathered + factor * o.gathered,
            evaluation + factor * o.evaluation,       access + factor * o.access,
            control_words + factor * o.control_words, collectives + factor * o.collectives};
  }
};

}  // namespace zero
