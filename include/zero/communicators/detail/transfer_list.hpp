// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/point_to_point.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace zero::detail {

[[nodiscard]] inline std::uintptr_t begin_of(zero::Transfer const& transfer) noexcept {
  return reinterpret_cast<std::uintptr_t>(transfer.data);
}

/// The message of \p list, from \p at on, that goes between \p rank and itself in \p direction.
[[nodiscard]] inline std::size_t next_own(std::span<zero::Transfer const> list, std::size_t at, int rank,
                                          zero::Transfer::Direction direction) noexcept {
  while (at < list.size() && (list[at].peer != rank || list[at].direction != direction)) ++at;
  return at;
}

/// Calls `f(send, receive)` for each message of \p rank to itself: the k-th that is sent is the k-th that is received.
template <class Function>
void for_own(std::span<zero::Transfer const> list, int rank, Function const& f) {
  std::size_t send = next_own(list, 0, rank, zero::Transfer::Direction::send);
  std::size_t receive = next_own(list, 0, rank, zero::Transfer::Direction::receive);
  while (send < list.size() && receive < list.size()) {
    f(list[send], list[receive]);
    send = next_own(list, send + 1, rank, zero::Transfer::Direction::send);
    receive = next_own(list, receive + 1, rank, zero::Transfer::Direction::receive);
  }
}

/// \throws ConfigurationError where \p rank sends itself what it does not receive, or the other way round.
inline void check_own(std::string_view who, std::span<zero::Transfer const> list, int rank) {
  std::ptrdiff_t unmatched = 0;
  for (auto const& transfer : list) {
    if (transfer.peer == rank) unmatched += transfer.sends() ? 1 : -1;
  }
  if (unmatched != 0) {
    fail<ConfigurationError>({who, ": rank ", rank, " sends itself another number of messages than it receives ",
                              "from itself: list both sides of such a message in one transfer"});
  }
  for_own(list, rank, [&](zero::Transfer const& send, zero::Transfer const& receive) {
    if (send.bytes == receive.bytes) return;
    fail<ConfigurationError>({who, ": rank ", rank, " sends itself ", send.bytes, " bytes, but receives ",
                              receive.bytes, ": give both the same count"});
  });
}

/// \throws ConfigurationError where something is received into what is sent or received, too.
inline void check_overlaps(std::string_view who, std::span<zero::Transfer const> list) {
  std::vector<zero::Transfer const*> sorted;
  for (auto const& transfer : list) {
    if (transfer.bytes > 0) sorted.push_back(&transfer);
  }
  std::sort(sorted.begin(), sorted.end(),
            [](zero::Transfer const* a, zero::Transfer const* b) { return begin_of(*a) < begin_of(*b); });
  std::uintptr_t end_of_all = 0, end_of_received = 0;
  for (auto const* transfer : sorted) {
    if (begin_of(*transfer) < (transfer->sends() ? end_of_received : end_of_all)) {
      fail<ConfigurationError>({who, ": ", transfer->bytes, " bytes that are ",
                                transfer->sends() ? "sent to" : "received", transfer->sends() ? "" : " from", " rank ",
                                transfer->peer,
                                " overlap others of the same list: receive each message into memory of its own"});
    }
    auto const end = begin_of(*transfer) + transfer->bytes;
    end_of_all = (std::max)(end_of_all, end);
    if (!transfer->sends()) end_of_received = (std::max)(end_of_received, end);
  }
}

/// Makes sure that \p rank of \p size can do what \p list says. \p who: whose error it is.
ZERO_OUT_OF_LINE inline void check_transfers(std::string_view who, std::span<zero::Transfer const> list, int rank,
                                             int size) {
  for (auto const& transfer : list) {
    if (transfer.peer >= 0 && transfer.peer < size) continue;
    fail<ConfigurationError>({who, ": rank ", rank, transfer.sends() ? " sends to" : " receives from", " rank ",
                              transfer.peer, ", but ranks count from 0 to ", size - 1});
  }
  check_own(who, list, rank);
  if (list.size() > 1) check_overlaps(who, list);
}

/// The same of an all-to-all of \p bytes in all.
ZERO_OUT_OF_LINE inline void check_all_to_all(std::string_view who, void const* send, void* receive,
                                              std::size_t bytes) {
  zero::Transfer const both[] = {zero::Transfer::send(static_cast<std::byte const*>(send), bytes, 0),
                                 zero::Transfer::receive(static_cast<std::byte*>(receive), bytes, 0)};
  check_overlaps(who, both);
}

}  // namespace zero::detail
