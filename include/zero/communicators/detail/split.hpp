// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/support/fixed_array.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace zero::detail {

/// The ranks of \p communicator that ask for the color of this one, in the order of their keys, and of their numbers
/// where keys are equal; none where \p color is negative. Collective, blocks.
template <class Communicator>
std::vector<int> exchange_members(Communicator& communicator, int color, int key) {
  auto const word = std::uint64_t{std::bit_cast<std::uint32_t>(color)} << 32U | std::bit_cast<std::uint32_t>(key);
  auto const all = exchange_words(communicator, word);
  auto const color_of = [&](int rank) {
    return std::bit_cast<int>(static_cast<std::uint32_t>(all[static_cast<std::size_t>(rank)] >> 32U));
  };
  auto const key_of = [&](int rank) {
    return std::bit_cast<int>(static_cast<std::uint32_t>(all[static_cast<std::size_t>(rank)]));
  };
  std::vector<int> members;
  for (int rank = 0; rank < communicator.size() && color >= 0; ++rank) {
    if (color_of(rank) == color) members.push_back(rank);
  }
  std::sort(members.begin(), members.end(),
            [&](int a, int b) { return std::tuple(key_of(a), a) < std::tuple(key_of(b), b); });
  return members;
}

/// The place of \p rank in \p members, which name it.
[[nodiscard]] inline int place_in(std::vector<int> const& members, int rank) {
  return static_cast<int>(std::find(members.begin(), members.end(), rank) - members.begin());
}

}  // namespace zero::detail
