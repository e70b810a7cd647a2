// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "batch_loader.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace gpt2 {

/// The part of one rank in the global sequence of micro-batches: those of each step whose place is its rank, modulo
/// the number of ranks.
struct RankShare {
  std::uint64_t rank = 0, ranks = 1;
  std::uint64_t micro_batches = 1;  ///< of a step of all ranks
  std::uint64_t steps = 0;          ///< of the run

  /// Of a step.
  [[nodiscard]] std::uint64_t rounds() const noexcept { return (micro_batches + ranks - 1 - rank) / ranks; }
};

/// Training data for one rank, loaded ahead in the order in which a run takes them, wherever it begins.
class TrainingFeed {
 public:
  /// Batches have \p tokens tokens. \p data is borrowed.
  TrainingFeed(TrainingData const& data, LoadOptions const& options, std::size_t tokens, RankShare const& share)
      : data_(data), options_(options), tokens_(tokens), share_(share) {}

  /// Exchanges \p batch for the micro-batch of \p key, which is one of this rank's. Those that follow it in the run
  /// are loaded ahead. \throws DataError.
  void take(BatchKey const& key, TokenBatch& batch) {
    auto const ordinal = key.step * share_.rounds() + key.micro_batch / share_.ranks;
    bool const follows = loader_ && loader_->has_more() && key.seed == seed_ && ordinal == first_ + loader_->taken();
    if (!follows) start(key.seed, ordinal);
    loader_->take(batch);
  }

 private:
  void start(std::uint64_t seed, std::uint64_t ordinal) {
    loader_.reset();
    seed_ = seed;
    first_ = ordinal;
    auto const all = share_.steps * share_.rounds();
    loader_.emplace(data_, options_, tokens_, all > ordinal ? all - ordinal : 1, [this](std::uint64_t n) {
      auto const at = first_ + n, rounds = share_.rounds();
      return BatchRequest{Split::train, 0, {seed_, at / rounds, at % rounds * share_.ranks + share_.rank}};
    });
  }

  TrainingData const& data_;
  LoadOptions options_;
  std::size_t tokens_;
  RankShare share_;
  std::uint64_t seed_ = 0, first_ = 0;
  std::optional<BatchLoader> loader_;
};

}  // namespace gpt2
