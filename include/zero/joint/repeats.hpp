// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/joint/description.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace zero::detail {

/// The engines of a joint step that exist several times, each on a group of ranks of its own: found by what the ranks
/// say of themselves, alike on all of them.
class JointRepeats {
 public:
  /// \p ranks are borrowed. \throws ConfigurationError for an engine that is there several times and may not be, or
  /// whose repeats differ.
  ZERO_OUT_OF_LINE explicit JointRepeats(std::vector<JointRank> const& ranks) {
    std::map<std::uint64_t, std::vector<Position>> places;
    std::vector<std::uint64_t> order;
    for (std::size_t r = 0; r < ranks.size(); ++r) {
      for (auto const& engine : ranks[r].engines) {
        auto& found = places[engine.identity()];
        if (found.empty()) order.push_back(engine.identity());
        found.push_back({r, &engine});
      }
    }
    for (auto identity : order) {
      auto const& found = places.at(identity);
      if (found.size() <= found.front().engine->ranks) continue;
      require_repeatable(found);
      identities_.push_back(identity);
    }
  }
  /// In an order that all ranks have in common.
  [[nodiscard]] std::vector<std::uint64_t> const& identities() const noexcept { return identities_; }

 private:
  struct Position {
    std::size_t rank;
    JointEngine const* engine;
  };

  static void require_repeatable(std::vector<Position> const& places) {
    auto const& first = *places.front().engine;
    if (first.repeated_over.empty()) {
      fail<ConfigurationError>({"zero::JointStep: ", places.size(), " ranks have parameters like ",
                                quote(first.parameters.front().name), " in member ", quote(first.name),
                                ", but its communicator has ", counted(first.ranks, "rank"),
                                ": give the parameters of each engine names of their own, or say with "
                                "repeated_over that they exist on several positions of an axis"});
    }
    std::vector<std::size_t> by_rank(static_cast<std::size_t>(first.ranks));
    for (auto const& place : places) {
      require_same(places.front(), place);
      ++by_rank[static_cast<std::size_t>(place.engine->rank)];
    }
    for (auto count : by_rank) {
      if (count == by_rank.front()) continue;
      fail<ConfigurationError>({"zero::JointStep: member ", quote(first.name),
                                " is repeated, but not passed on every rank of its communicators: pass it on each"});
    }
  }
  static void require_same(Position const& first, Position const& other) {
    auto const& a = *first.engine;
    auto const& b = *other.engine;
    auto const differ = [&](MessagePart what) {
      fail<ConfigurationError>({"zero::JointStep: member ", quote(a.name), " is repeated, but ", what,
                                " differ between rank ", first.rank, " and rank ", other.rank,
                                ": give its repeats the same parameters, rule and settings of the rule, groups of as "
                                "many ranks, and the same axis"});
    };
    if (a.repeated_over != b.repeated_over) differ("the axes that it is repeated over");
    if (a.ranks != b.ranks) differ("the sizes of its communicators");
    if (a.rule != b.rule || a.states != b.states) differ("the rules");
    for (std::size_t p = 0; p < a.parameters.size(); ++p) {
      auto const& x = a.parameters[p];
      auto const& y = b.parameters[p];
      if (x.shape == y.shape && x.rule == y.rule && x.frozen == y.frozen && x.first_step == y.first_step) continue;
      auto const what =
          concat({x.shape != y.shape ? "the shapes of " : "the settings of the rule for ", quote(x.name)});
      differ(MessagePart(what));
    }
  }

  std::vector<std::uint64_t> identities_;
};

/// Asks the ranks of each repeated engine for the first of them. Collective over the communicators of these engines,
/// blocks. `engines[m]` is what this rank says of its member m, `first_rank(m)` asks that member's communicator.
template <class FirstRank>
void find_first_ranks(JointRepeats const& repeats, std::vector<JointEngine>& engines, FirstRank const& first_rank) {
  for (auto identity : repeats.identities()) {
    for (std::size_t m = 0; m < engines.size(); ++m) {
      if (engines[m].identity() == identity) engines[m].first_rank = first_rank(m);
    }
  }
}

}  // namespace zero::detail
