// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>

#include <cstdint>

namespace zero::detail {

/// The micro-batches of a step: one global sequence that goes round the ranks, the k-th to rank k mod world. A round
/// gives each rank one; where the world does not divide the sequence, the last ranks are absent from the last round.
/// In a joint step ranks are data positions, several of which a group may lack, or have more than once.
class MicroBatchSequence {
 public:
  /// Of \p total micro-batches, at least 1, on \p world ranks, as \p rank sees it.
  constexpr MicroBatchSequence(std::int64_t total, int world, int rank) noexcept
      : MicroBatchSequence(total, world, rank, static_cast<int>(total % world)) {}
  /// The same for a group of which \p last_addends ranks, the first ones, have a micro-batch in a ragged last round.
  constexpr MicroBatchSequence(std::int64_t total, int world, int rank, int last_addends) noexcept
      : total_(total), world_(world), rank_(rank), last_addends_(last_addends) {}

  /// All micro-batches of a step: what the sum of their gradients is divided by.
  [[nodiscard]] constexpr std::int64_t total() const noexcept { return total_; }
  /// How many of them every rank begins.
  [[nodiscard]] constexpr int rounds() const noexcept { return static_cast<int>((total_ + world_ - 1) / world_); }
  /// Whether all ranks have a micro-batch in every round.
  [[nodiscard]] constexpr bool is_even() const noexcept { return total_ % world_ == 0; }
  [[nodiscard]] constexpr bool is_last(int round) const noexcept { return round + 1 == rounds(); }

  /// The place in the sequence of this rank's micro-batch of \p round; at and beyond the end where it has none.
  [[nodiscard]] constexpr std::int64_t index(int round) const noexcept { return std::int64_t{round} * world_ + rank_; }
  /// Whether this rank has a micro-batch in \p round.
  [[nodiscard]] constexpr bool contributes(int round) const noexcept { return index(round) < total_; }
  /// Whether some rank has none in \p round.
  [[nodiscard]] constexpr bool is_ragged(int round) const noexcept { return is_last(round) && !is_even(); }
  /// The first ranks of a sum over \p round that have an addend, as SumRange counts them.
  [[nodiscard]] constexpr int addends(int round) const noexcept {
    return is_ragged(round) ? last_addends_ : SumRange::every_rank;
  }

 private:
  std::int64_t total_;
  int world_;
  int rank_;
  int last_addends_;
};

}  // namespace zero::detail
