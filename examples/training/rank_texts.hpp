// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace training {

/// The text of every rank, by rank. Collective.
template <class Communicator>
[[nodiscard]] std::vector<std::string> texts_of_all(Communicator& ranks, std::string const& mine) {
  constexpr std::size_t piece = std::size_t{1} << 20;  // at a time, so that no rank needs room for all of it twice
  std::size_t const world = static_cast<std::size_t>(ranks.size());
  std::vector<std::uint64_t> sizes(world);
  std::uint64_t const size = mine.size();
  ranks.exchange(std::as_bytes(std::span(&size, 1)), std::as_writable_bytes(std::span(sizes)));
  std::size_t const longest = *std::max_element(sizes.begin(), sizes.end());
  std::vector<std::string> all(world);
  for (std::size_t at = 0; at < longest; at += piece) {
    std::size_t const count = std::min(piece, longest - at);
    std::string part = at < mine.size() ? mine.substr(at, count) : std::string();
    part.resize(count);
    std::vector<char> received(world * count);
    ranks.exchange(std::as_bytes(std::span(part)), std::as_writable_bytes(std::span(received)));
    for (std::size_t r = 0; r < world; ++r) {
      if (at >= sizes[r]) continue;
      all[r].append(received.data() + r * count, std::min<std::size_t>(count, sizes[r] - at));
    }
  }
  return all;
}

}  // namespace training
