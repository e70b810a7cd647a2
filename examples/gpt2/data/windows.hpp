// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "token_source.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace gpt2 {

/// A part of a source's tokens.
struct Piece {
  std::shared_ptr<TokenSource const> source;
  std::uint64_t first = 0, tokens = 0;
};

/// All places at which a sequence and the token behind it lie in one piece, in the order of the pieces. No window
/// crosses from one piece to the next.
class Windows {
 public:
  /// Windows of \p context + 1 tokens.
  Windows(std::vector<Piece> pieces, std::size_t context);

  /// A piece of n tokens has n - context windows.
  [[nodiscard]] std::uint64_t count() const noexcept { return ends_.empty() ? 0 : ends_.back(); }
  /// Of all pieces.
  [[nodiscard]] std::uint64_t tokens() const noexcept { return tokens_; }
  /// Pieces that have no window, as they are too short.
  [[nodiscard]] std::size_t short_pieces() const noexcept { return short_pieces_; }
  /// Fills \p out, of at most context + 1 tokens, from window number \p window on, below `count`. \throws DataError.
  void read(std::uint64_t window, std::span<Token> out) const;
  /// The first of all tokens. \throws DataError.
  [[nodiscard]] Token front() const;

 private:
  std::vector<Piece> pieces_;        // that have windows
  std::vector<std::uint64_t> ends_;  // windows up to each piece, it included
  std::uint64_t tokens_ = 0;
  std::size_t short_pieces_ = 0;
};

}  // namespace gpt2
