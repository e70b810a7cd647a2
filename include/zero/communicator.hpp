// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>

#include <climits>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace zero {

/// What a collective is for: names it in errors and traces.
struct CollectivePurpose {
  std::string_view what;                               ///< such as "gradients"; names the collective
  std::size_t bucket = CommunicationError::no_bucket;  ///< which bucket it moves, or none
  std::uint64_t engine = 0;                            ///< number of the engine that calls it; 0: somebody else
};

/// In which order a reduction adds the addends of the ranks.
enum class SumOrder : std::uint8_t {
  fastest,  ///< whichever the communicator finds fastest for the type; those of this library that run on the host add
            ///< in the order of ranks all the same
  by_rank,  ///< in the order of ranks, in fp32, rounded after each: the bits do not depend on the number of ranks
};

/// Which sum a reduction is part of. The same on every rank.
struct SumRange {
  /// All ranks have an addend.
  static constexpr int every_rank = INT_MAX;

  bool first = true;                   ///< it starts the sum, which otherwise goes on from what is there
  int addends = every_rank;            ///< ranks below it have an addend; those from it on are absent
  SumOrder order = SumOrder::fastest;  ///< in which order they are added

  /// Whether \p rank has an addend.
  [[nodiscard]] constexpr bool has(int rank) const noexcept { return rank < addends; }
  /// How many of \p size ranks have one.
  [[nodiscard]] constexpr int count(int size) const noexcept { return addends < size ? addends : size; }
};

/// What a communicator can, besides the collectives: `static constexpr CommunicatorFacts facts{...};`. A fact that is
/// true requires its members, and a member without its fact is refused by the engine, so that nothing is left out
/// because of a misspelt name.
struct CommunicatorFacts {
  /// `staging_bytes<S, T>(count, order)`: bytes of device memory that `reduce_scatter_add` of slices of up to count
  /// elements needs, in that SumOrder. It takes them as a last argument then, a std::span<std::byte> that the engine
  /// has accounted.
  bool needs_staging = false;
  /// `check()` throws CommunicationError where a rank has failed, so that what a stream has brought since may be
  /// anything.
  bool reports_failures = false;
  /// Collectives can be recorded into a CUDA graph. Without it only one rank can.
  bool can_be_captured = false;
  /// `watch(purpose, stream)`: called after a recorded step was launched: all ranks fail where it does not pass within
  /// the deadline.
  bool watches_replays = false;
  /// `collective_memory()`: what the backend allocates the memory of collectives from; `register_buffers(blocks)`:
  /// makes it known, for as long as the std::shared_ptr<void> that it returns lives.
  bool registers_memory = false;
  /// `communication_stream(device)`: the stream that engines of this communicator, and of all that were split from the
  /// same one, put their collectives on, so that they run in the order of the calls. \throws ConfigurationError for
  /// another device than its own. Lasts as long as the communicator.
  bool has_stream = false;
  /// `adds_by_rank<T>(order)`: whether reductions of elements of type T that ask for that SumOrder add in the order of
  /// ranks. Without it they always do.
  bool has_sum_orders = false;
  /// `calls()`: a reference to the number of collectives of all ranks that this rank has put on it, which engines
  /// compare at every step: for a communicator that cannot compare what ranks call. Collectives count up; an engine
  /// takes back those that it only records, and adds those of a replay.
  bool counts_calls = false;
};

/// The facts of \p Communicator; none where it publishes none.
template <class Communicator>
[[nodiscard]] constexpr CommunicatorFacts communicator_facts() noexcept {
  if constexpr (requires { Communicator::facts; }) {
    return Communicator::facts;
  } else {
    return {};
  }
}

/// The ranks that train together. Every rank calls the same collectives in the same order. Collectives on buffers are
/// operations of a stream: they may return before they have run, and the buffers stay in use until the stream has
/// passed them. `exchange` and `rank`, `size`, `local_size` are the host's.
///
///   reduce_scatter_add(send, into, count, range, purpose, stream)
///     send: size x count elements of T, slice r for rank r. into: count elements of S, this rank's. range: a SumRange.
///     For every element, the addends of ranks 0, 1, ... below range.addends are added in that order in fp32 and
///     rounded to S after each; the sum starts from what `into` holds, or, if range.first, from rank 0's addend. A rank
///     from range.addends on is absent: it takes part, and gets its slice of the sum, but nothing of its `send` enters
///     it; the communicator may overwrite that `send`. A first sum of no addend is +0, a later one stays as it is.
///     `into` may be this rank's slice of `send` where T and S have the same size, and overlaps it nowhere otherwise.
///   all_gather(own, full, count, purpose, stream)
///     own: count elements, this rank's; full: size x count elements, of which slice r comes from rank r. `own` may be
///     this rank's slice of `full`, and overlaps it nowhere otherwise.
///   all_reduce(words, count, purpose, stream)
///     sums unsigned integers over the ranks, in place.
///   exchange(mine, all)
///     all: size x mine.size() bytes, of which part r comes from rank r, and none of which is of `mine`; blocks.
///
/// A communicator that can more says so in its `facts`; see CommunicatorFacts.
///
/// \throws CommunicationError on every rank within the communicator's deadline when one fails, leaves or differs;
/// ConfigurationError, before it takes part, where buffers overlap that must not.
template <class Communicator, class Stream>
concept communicator_on = requires(Communicator& c, float* f, SumRange range, std::uint64_t* words,
                                   CollectivePurpose purpose, Stream stream, std::span<std::byte const> mine,
                                   std::span<std::byte> all) {
  { c.rank() } -> std::convertible_to<int>;
  { c.size() } -> std::convertible_to<int>;
  { c.local_size() } -> std::convertible_to<int>;  // ranks that share this machine's cores
  // Its facts say which of the two.
  requires requires { c.reduce_scatter_add(f, f, std::size_t{1}, range, purpose, stream); } || requires {
    c.reduce_scatter_add(f, f, std::size_t{1}, range, purpose, stream, all);
  };
  c.all_gather(f, f, std::size_t{1}, purpose, stream);
  c.all_reduce(words, std::size_t{1}, purpose, stream);
  c.exchange(mine, all);
};

}  // namespace zero
