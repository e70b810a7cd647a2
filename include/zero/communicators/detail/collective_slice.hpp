// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

namespace zero::detail {

/// A buffer that has a slice for each of \p ranks, and what \p rank reads or writes beside it.
struct CollectiveSlice {
  void const* full;
  std::size_t slice_bytes;
  int ranks;
  int rank;
  void const* own;
  std::size_t own_bytes;

  /// Whether `own` is this rank's slice of `full`, or shares no byte with it.
  [[nodiscard]] bool is_whole_or_apart() const noexcept {
    auto const begin = reinterpret_cast<std::uintptr_t>(full), mine = reinterpret_cast<std::uintptr_t>(own);
    auto const end = begin + static_cast<std::size_t>(ranks) * slice_bytes;
    if (mine + own_bytes <= begin || end <= mine) return true;
    return mine == begin + static_cast<std::size_t>(rank) * slice_bytes && own_bytes == slice_bytes;
  }
};

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void throw_overlap(std::string_view who, CollectiveSlice const& all) {
  fail<ConfigurationError>({who, ": rank ", all.rank, "'s own ", all.own_bytes, " bytes overlap the ", all.ranks, " x ",
                            all.slice_bytes, " bytes of all ranks, but are not this rank's slice of them: its peers ",
                            "would read what it overwrites; give slice ", all.rank, ", or memory of its own"});
}

/// Makes sure that no rank overwrites what its peers read. \p who: whose error it is.
inline void check_slice(std::string_view who, CollectiveSlice const& all) {
  if (all.own_bytes > 0 && !all.is_whole_or_apart()) throw_overlap(who, all);
}

[[noreturn, gnu::cold]] ZERO_OUT_OF_LINE inline void throw_exchange(std::string_view who, CollectiveSlice const& all,
                                                                    std::size_t room) {
  if (room / static_cast<std::size_t>(all.ranks) < all.own_bytes) {
    fail<ConfigurationError>({who, ": rank ", all.rank, " exchanges ", all.own_bytes, " bytes, and has room for ", room,
                              " of the ", all.ranks, " x ", all.own_bytes, " that come: give all ranks' room"});
  }
  fail<ConfigurationError>({who, ": rank ", all.rank, "'s own ", all.own_bytes,
                            " bytes overlap the room for those of all ranks: its peers would read what it overwrites; ",
                            "give memory of its own"});
}

/// Whether all of \p first lies before \p second.
[[nodiscard]] inline bool is_before(std::span<std::byte const> first, std::span<std::byte const> second) noexcept {
  return std::less_equal<>()(first.data() + first.size(), second.data());
}

/// The same of an `exchange` of \p mine with \p ranks, which needs room for the bytes of each of them in \p all.
inline void check_exchange(std::string_view who, std::span<std::byte const> mine, std::span<std::byte const> all,
                           int rank, int ranks) {
  if (mine.empty()) return;
  bool const has_room = all.size() / static_cast<std::size_t>(ranks) >= mine.size();
  if (has_room && (is_before(mine, all) || is_before(all, mine))) return;
  throw_exchange(who, {all.data(), mine.size(), ranks, rank, mine.data(), mine.size()}, all.size());
}

}  // namespace zero::detail
