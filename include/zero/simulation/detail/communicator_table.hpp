// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/collective.hpp>
#include <zero/simulation/detail/host.hpp>
#include <zero/simulation/detail/transfer.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

namespace zero::detail::simulation {

/// All communicators of a simulation, by number, what their ranks have come to, and the messages between them. Ranks
/// number alike because they make communicators and collectives in the same order.
class CommunicatorTable {
 public:
  /// Communicator 0 has ranks 0 to \p ranks - 1. \p only_rank: one rank comes to everything alone.
  CommunicatorTable(int ranks, bool only_rank) : only_rank_(only_rank) {
    auto& all = members_.emplace_back();
    for (int rank = 0; rank < ranks; ++rank) all.push_back(rank);
  }

  /// The number of a communicator that \p host makes of ranks of another one, all of which make as many and number
  /// them alike. \p color tells those apart that are made at once; \p launched: its order of collectives.
  [[nodiscard]] std::size_t make(Host& host, std::size_t parent, int color, std::vector<int> ranks,
                                 std::shared_ptr<LaunchOrder> launched) {
    auto const child = host.communicators.at(parent).children - 1;
    auto const number = numbers_.emplace(std::tuple(parent, child, color), members_.size()).first->second;
    if (number == members_.size()) members_.push_back(std::move(ranks));
    host.communicators[number].launched = std::move(launched);
    return number;
  }
  /// The ranks of a communicator, as the world counts.
  [[nodiscard]] std::vector<int> const& members(std::size_t communicator) const { return members_[communicator]; }

  /// The collective that is the next one of \p host on a communicator.
  [[nodiscard]] std::shared_ptr<Collective> next_collective(Host& host, std::size_t communicator) {
    auto const& ranks = members_[communicator];
    auto& collective = collectives_[{communicator, host.communicators.at(communicator).sequence++}];
    if (!collective) {
      collective = std::make_shared<Collective>(communicator, ranks, only_rank_ ? 1 : ranks.size());
    }
    return collective;
  }
  /// One rank is done with the \p sequence-th collective of a communicator.
  void leave(std::size_t communicator, std::uint64_t sequence) {
    auto const found = collectives_.find({communicator, sequence});
    if (found != collectives_.end() && found->second->leave()) collectives_.erase(found);
  }

  /// Matches the messages of \p part, whose peers count in its communicator, with those of other ranks.
  void post(Host& host, TransferPart& part) {
    part.rank = host.rank;
    part.ranks = &members_[part.communicator];
    for (auto& item : part.items) item.transfer.peer = (*part.ranks)[static_cast<std::size_t>(item.transfer.peer)];
    only_rank_ ? MessageMatcher::post_alone(part) : matcher_.post(part);
  }

 private:
  bool only_rank_;
  std::deque<std::vector<int>> members_;  // of each communicator
  std::map<std::tuple<std::size_t, std::uint64_t, int>, std::size_t> numbers_;
  std::map<std::pair<std::size_t, std::uint64_t>, std::shared_ptr<Collective>> collectives_;
  MessageMatcher matcher_;
};

}  // namespace zero::detail::simulation
