// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/utility/fingerprint.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <tuple>
#include <vector>

namespace zero::detail {

/// The ranks of \p communicator that ask for the color of this one, in the order of their keys, and of their numbers
/// where keys are equal; none where \p color is negative. Collective, blocks.
template <class Communicator>
std::vector<int> exchange_members(Communicator& communicator, int color, int key) {
  struct Request {
    std::uint64_t call;  // of no other size and content than a split's, so that another exchange is told from it
    std::int64_t color, key;
  };
  Request const mine{fingerprint_of("split"), color, key};
  FixedArray<Request> all(static_cast<std::size_t>(communicator.size()));
  communicator.exchange({bytes_of(&mine), sizeof mine}, {bytes_of(all.begin()), all.size() * sizeof mine});
  for (std::size_t r = 0; r < all.size(); ++r) {
    if (all[r].call == mine.call) continue;
    throw CommunicationError(CommunicationFailure::mismatch, {.rank = static_cast<int>(r), .operation = "split"},
                             concat({"zero: rank ", communicator.rank(), " called split, and rank ", r,
                                     " something else: make the same calls in the same order on every rank"}));
  }
  auto const color_of = [&](int rank) { return all[static_cast<std::size_t>(rank)].color; };
  auto const key_of = [&](int rank) { return all[static_cast<std::size_t>(rank)].key; };
  std::vector<int> members;
  for (int rank = 0; rank < communicator.size() && color >= 0; ++rank) {
    if (color_of(rank) == color) members.push_back(rank);
  }
  std::sort(members.begin(), members.end(),
            [&](int a, int b) { return std::tuple(key_of(a), a) < std::tuple(key_of(b), b); });
  return members;
}

/// What a rank that cannot make its group tells the others.
struct SplitFailure {
  static LocalOutcome outcome_of(std::exception_ptr const& error) { return {1, text_of(error)}; }
  [[noreturn]] static void raise(std::exception_ptr const& mine, RankTexts const& outcomes, std::size_t failed) {
    if (mine) std::rethrow_exception(mine);
    fail<ConfigurationError>({"zero: rank ", failed, " could not make a group: ", outcomes[failed]});
  }
};

/// The place of \p rank in \p members, which name it.
[[nodiscard]] inline int place_in(std::vector<int> const& members, int rank) {
  return static_cast<int>(std::find(members.begin(), members.end(), rank) - members.begin());
}

}  // namespace zero::detail
