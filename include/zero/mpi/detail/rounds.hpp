// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/mpi/detail/group.hpp>
#include <zero/mpi/detail/message_requests.hpp>
#include <zero/mpi/detail/shared_posting.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

namespace zero::detail {

/// Of a bounce memory that holds \p parts of each round, how many bytes one of them has.
[[nodiscard]] inline std::size_t bounce_part(MpiGroup const& group, std::size_t parts) noexcept {
  return group.bounce_bytes() / parts / MpiGroup::bounce_alignment * MpiGroup::bounce_alignment;
}

/// Runs a collective, and calls `f(sources, offset, bytes)` for each of its rounds. Where every rank's buffer is in
/// memory that the others read, on one host, there is one round, and nothing is copied; else a round moves as many
/// bytes as bounce memory holds. \p part says what this rank brings:
///
///   bytes, chunk         of the whole, and of a round through bounce memory
///   fills                whether anything of this rank goes through bounce memory
///   fill(offset, bytes)  puts it there
///   is_bounced()         whether anything of a rank of this host does, once all have posted their parts
///   move(bytes)          brings what other hosts have
///   sources(offset)      where the ranks' bytes can be read
template <class Part, class Function>
void try_rounds(MpiGroup& group, SharedPosting const& posting, Part& part, Function const& f) {
  if (part.fills) part.fill(0, (std::min)(part.chunk, part.bytes));
  group.enter(posting);
  bool const remote = group.places().has_remote();
  std::size_t const most = remote || part.is_bounced() ? part.chunk : part.bytes;
  for (std::size_t at = 0; at < part.bytes; at += most) {
    std::size_t const bytes = (std::min)(most, part.bytes - at);
    if (at > 0) {
      group.meet();  // all have read the last round
      if (part.fills) part.fill(at, bytes);
      if (!remote) group.meet();
    }
    if (remote) {
      part.move(bytes);
      group.meet_after_messages();
    }
    f(part.sources(at), at, bytes);
  }
  group.leave();
}

/// The same, which tells the others where it ends early.
template <class Part, class Function>
void run_rounds(MpiGroup& group, SharedPosting const& posting, Part& part, Function const& f) {
  try {
    try_rounds(group, posting, part, f);
  } catch (CommunicationError const&) {
    group.withdraw();
    throw;
  } catch (...) {
    group.world().fail({CommunicationFailure::peer_failed, group.world().rank(), "failed inside a collective"});
    group.withdraw();
    throw;
  }
}

/// What a rank has for all others alike. Of bounce memory the first part is its own; the others are what it receives
/// from ranks of other hosts, for all ranks of its own.
class GatheredPart {
 public:
  /// \p place: where \p own lies for the others.
  GatheredPart(MpiGroup& group, void const* own, std::size_t own_bytes, SharedPlace place)
      : bytes(own_bytes),
        chunk(bounce_part(group, 1 + group.places().most_receipts())),
        fills(place.is_outside() || group.places().has_remote()),
        group_(group),
        places_(group.places()),
        own_(static_cast<std::byte const*>(own)),
        sources_(static_cast<std::size_t>(places_.size())) {}

  std::size_t bytes, chunk;
  bool fills;

  void fill(std::size_t at, std::size_t count) const { std::memcpy(group_.bounce(places_.rank()), own_ + at, count); }
  [[nodiscard]] bool is_bounced() const noexcept {
    auto const& local = places_.local();
    return std::any_of(local.begin(), local.end(), [&](int q) { return group_.posting_of(q).place.is_outside(); });
  }
  void move(std::size_t count) const {
    MessageRequests requests(group_.world().messages());
    int const tag = group_.collective_tag();
    for (int q = 0; q < places_.size(); ++q) {
      if (places_.is_local(q) || places_.receiver(q, places_.own_host()) != places_.rank()) continue;
      requests.receive(received(q), count, places_.world_rank(q), tag);
    }
    for (std::size_t host = 0; host < places_.hosts().size(); ++host) {
      if (host == places_.own_host()) continue;
      int const to = places_.receiver(places_.rank(), host);
      requests.send(group_.bounce(places_.rank()), count, places_.world_rank(to), tag);
    }
    group_.await(requests);
  }
  [[nodiscard]] std::byte const* const* sources(std::size_t at) {
    for (int q = 0; q < places_.size(); ++q) sources_[static_cast<std::size_t>(q)] = source(q, at);
    return sources_.data();
  }

 private:
  [[nodiscard]] std::byte* received(int rank) const noexcept {
    int const receiver = places_.receiver(rank, places_.own_host());
    return group_.bounce(receiver) + (1 + places_.receipt_number(rank)) * chunk;
  }
  [[nodiscard]] std::byte const* source(int rank, std::size_t at) const noexcept {
    if (rank == places_.rank()) return own_ + at;
    if (!places_.is_local(rank)) return received(rank);
    auto const place = group_.posting_of(rank).place;
    return place.is_outside() ? group_.bounce(rank) : group_.read(rank, place) + at;
  }

  MpiGroup& group_;
  GroupPlaces const& places_;
  std::byte const* own_;
  std::vector<std::byte const*> sources_;
};

/// What a rank has another part of for each rank, slice after slice. Of bounce memory the first parts are its own, one
/// for each rank; the others are what it receives from ranks of other hosts.
class ScatteredPart {
 public:
  /// \p contributors: ranks below it bring something. \p place: where \p own lies for the others.
  ScatteredPart(MpiGroup& group, void const* own, std::size_t slice_bytes, int contributors, SharedPlace place)
      : bytes(slice_bytes),
        chunk(bounce_part(group, static_cast<std::size_t>(group.places().size()) + group.places().most_remote())),
        fills(group.places().rank() < contributors &&
              (place.is_outside() || group.places().has_remote() || contributors > most_at_once)),
        group_(group),
        places_(group.places()),
        own_(static_cast<std::byte const*>(own)),
        contributors_(contributors),
        is_outside_(place.is_outside()),
        sources_(static_cast<std::size_t>(contributors)) {}

  std::size_t bytes, chunk;
  bool fills;

  void fill(std::size_t at, std::size_t count) const {
    int const me = places_.rank();
    for (int q = 0; q < places_.size(); ++q) {
      bool const wants = q == me ? keeps_own() : is_outside_ || !places_.is_local(q);
      if (wants) std::memcpy(sent(me, q), slice(q) + at, count);
    }
  }
  [[nodiscard]] bool is_bounced() const noexcept {
    auto const& local = places_.local();
    return keeps_own() || std::any_of(local.begin(), local.end(), [&](int q) {
             return q < contributors_ && group_.posting_of(q).place.is_outside();
           });
  }
  void move(std::size_t count) const {
    MessageRequests requests(group_.world().messages());
    int const tag = group_.collective_tag();
    for (int q = 0; q < places_.size(); ++q) {
      if (places_.is_local(q)) continue;
      if (q < contributors_) requests.receive(received(q), count, places_.world_rank(q), tag);
      if (places_.rank() < contributors_) requests.send(sent(places_.rank(), q), count, places_.world_rank(q), tag);
    }
    group_.await(requests);
  }
  [[nodiscard]] std::byte const* const* sources(std::size_t at) {
    for (int q = 0; q < contributors_; ++q) sources_[static_cast<std::size_t>(q)] = source(q, at);
    return sources_.data();
  }

 private:
  /// Addends that a stream takes in one pass.
  static constexpr int most_at_once = 256;

  // The sum may lie where the own slice does, and a later pass must still find that.
  [[nodiscard]] bool keeps_own() const noexcept { return contributors_ > most_at_once; }
  [[nodiscard]] std::byte const* slice(int rank) const noexcept {
    return own_ + static_cast<std::size_t>(rank) * bytes;
  }
  // What \p from has for \p to.
  [[nodiscard]] std::byte* sent(int from, int to) const noexcept {
    return group_.bounce(from) + static_cast<std::size_t>(to) * chunk;
  }
  [[nodiscard]] std::byte* received(int rank) const noexcept {
    auto const number = static_cast<std::size_t>(places_.size()) + places_.remote_number(rank);
    return group_.bounce(places_.rank()) + number * chunk;
  }
  [[nodiscard]] std::byte const* source(int rank, std::size_t at) const noexcept {
    if (rank == places_.rank()) return keeps_own() ? sent(rank, rank) : slice(rank) + at;
    if (!places_.is_local(rank)) return received(rank);
    auto const place = group_.posting_of(rank).place;
    if (place.is_outside()) return sent(rank, places_.rank());
    return group_.read(rank, place) + static_cast<std::size_t>(places_.rank()) * bytes + at;
  }

  MpiGroup& group_;
  GroupPlaces const& places_;
  std::byte const* own_;
  int contributors_;
  bool is_outside_;
  std::vector<std::byte const*> sources_;
};

}  // namespace zero::detail
