// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/operation.hpp>
#include <zero/simulation/detail/race_checker.hpp>
#include <zero/simulation/detail/stream.hpp>
#include <zero/simulation/detail/vector_clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>

namespace zero::detail::simulation {

/// Streams of collectives and transfers that have not run, in the order of their launch, which is that of their run, as
/// on a communicator of NCCL. A communicator has one in common with all groups that were split from it.
using LaunchOrder = std::deque<Stream*>;

/// One communicator as one of its ranks has used it.
struct CommunicatorState {
  std::uint64_t sequence = 0;               ///< of the next collective
  std::uint64_t transfers = 0;              ///< operations of point-to-point messages so far
  std::uint64_t children = 0;               ///< communicators made from it
  std::shared_ptr<LaunchOrder> launched{};  ///< of this rank
};

/// The host code of one rank, its streams and what is known of its memory.
struct Host {
  static constexpr std::uintptr_t first_phantom = std::uintptr_t{1} << 56;  ///< no address of this machine

  int rank = 0;
  std::size_t thread = 0;  ///< in vector clocks
  VectorClock clock{};
  std::shared_ptr<VectorClock const> snapshot{};  ///< a copy of the clock that operations share; null: out of date
  std::uint64_t time = 0;                         ///< logical
  RaceChecker checker{};
  std::deque<Stream> streams{};
  bool finished = false;
  std::shared_ptr<Operation> awaits{};  ///< blocked until it has run; null: not blocked on an operation
  std::shared_ptr<Collective> meets{};  ///< blocked until every host has posted; null: not in an exchange
  std::map<std::size_t, CommunicatorState> communicators{};  ///< those that it is part of, by number
  std::uint64_t bytes_sent = 0;  ///< in reduce-scatters, all-gathers, all-to-alls and messages
  std::uintptr_t next_phantom = first_phantom;

  [[nodiscard]] bool may_go_on() const noexcept {
    return !finished && (!awaits || awaits->done) && (!meets || meets->all_posted());
  }

  [[nodiscard]] std::shared_ptr<VectorClock const> clock_snapshot() {
    if (!snapshot) snapshot = std::make_shared<VectorClock>(clock);
    return snapshot;
  }
  /// The host has waited until something was over.
  void join_clock(VectorClock const& other, std::uint64_t at) {
    clock.join(other);
    snapshot.reset();
    time = (std::max)(time, at);
  }
  void tick() {
    clock.tick(thread);
    snapshot.reset();
  }
};

}  // namespace zero::detail::simulation
