// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "windows.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace gpt2 {

Windows::Windows(std::vector<Piece> pieces, std::size_t context) {
  for (auto& piece : pieces) {
    tokens_ += piece.tokens;
    if (piece.tokens <= context) {
      ++short_pieces_;
      continue;
    }
    ends_.push_back(count() + piece.tokens - context);
    pieces_.push_back(std::move(piece));
  }
}

void Windows::read(std::uint64_t window, std::span<Token> out) const {
  auto const end = std::upper_bound(ends_.begin(), ends_.end(), window);
  auto const index = end - ends_.begin();
  auto const before = index == 0 ? 0 : *(end - 1);
  auto const& piece = pieces_[static_cast<std::size_t>(index)];
  piece.source->read(piece.first + (window - before), out);
}

Token Windows::front() const {
  std::array<Token, 1> token{};
  read(0, token);
  return token[0];
}

}  // namespace gpt2
