// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "weights.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace gpt2 {

/// \throws std::invalid_argument unless \p tokens tokens in sequences of \p length fit a model of \p shape that was
/// made for \p capacity tokens.
inline void require_rows(ModelShape const& shape, std::size_t capacity, std::size_t tokens, std::size_t length) {
  if (length == 0 || length > shape.context || tokens == 0 || tokens % length != 0 || tokens > capacity) {
    throw std::invalid_argument("gpt2::Model: " + std::to_string(tokens) + " tokens in sequences of " +
                                std::to_string(length) + " do not fit a model of " + std::to_string(capacity) +
                                " tokens with a context of " + std::to_string(shape.context));
  }
}

/// \throws std::invalid_argument for a token that is not below the vocabulary.
inline void require_below_vocabulary(ModelShape const& shape, std::span<Token const> tokens) {
  for (auto const token : tokens) {
    if (token < shape.vocabulary) continue;
    throw std::invalid_argument("gpt2::Model: token " + std::to_string(token) + " is not below the vocabulary of " +
                                std::to_string(shape.vocabulary));
  }
}

/// \throws std::invalid_argument unless there is a target below the vocabulary for each of \p rows tokens.
inline void require_targets(ModelShape const& shape, std::size_t rows, std::span<Token const> targets) {
  if (targets.size() != rows) {
    throw std::invalid_argument("gpt2::Model::head_forward: " + std::to_string(targets.size()) + " targets for " +
                                std::to_string(rows) + " tokens");
  }
  require_below_vocabulary(shape, targets);
}

/// The positions of each distinct token, so that its gradients are added in one place and in one order.
class TokenOrder {
 public:
  /// For \p tokens tokens, so that sorting allocates nothing.
  void reserve(std::size_t tokens) { positions_.reserve(tokens), begins_.reserve(tokens + 1); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return (positions_.capacity() + begins_.capacity()) * sizeof(std::uint32_t);
  }

  void sort(std::span<Token const> tokens) {
    positions_.resize(tokens.size());
    std::iota(positions_.begin(), positions_.end(), 0U);
    std::sort(positions_.begin(), positions_.end(),
              [&](std::uint32_t a, std::uint32_t b) { return tokens[a] != tokens[b] ? tokens[a] < tokens[b] : a < b; });
    begins_.clear();
    for (std::uint32_t i = 0; i < positions_.size(); ++i) {
      if (i == 0 || tokens[positions_[i]] != tokens[positions_[i - 1]]) begins_.push_back(i);
    }
    begins_.push_back(static_cast<std::uint32_t>(positions_.size()));
  }

  /// Number of distinct tokens.
  [[nodiscard]] std::size_t size() const noexcept { return begins_.size() - 1; }
  /// Of all tokens, sorted by token, then by position.
  [[nodiscard]] std::vector<std::uint32_t> const& positions() const noexcept { return positions_; }
  /// Where each distinct token's positions begin, and where the last one's end.
  [[nodiscard]] std::vector<std::uint32_t> const& begins() const noexcept { return begins_; }

 private:
  std::vector<std::uint32_t> positions_, begins_;
};

}  // namespace gpt2
