// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../weights.hpp"

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace gpt2 {

/// A text that may outgrow the context, and which of its tokens the model sees.
///
/// The rule: a window begins with the text and grows with it. When it is full and the text goes on, it begins anew half
/// a context (rounded down) before the new token, and grows again. Moving it by one token each time would give every
/// token another position each time, and so leave nothing in the cache of use.
class TextWindow {
 public:
  /// \p text are at least one and at most \p context tokens.
  TextWindow(std::vector<Token> text, std::size_t context) : tokens_(std::move(text)), context_(context) {}

  [[nodiscard]] std::vector<Token> const& tokens() const noexcept { return tokens_; }

  /// Adds a token. Whether the window begins anew, so that what was computed of it is of no use.
  bool push(Token token) {
    tokens_.push_back(token);
    if (tokens_.size() - begin_ <= context_) return false;
    begin_ = tokens_.size() - 1 - context_ / 2;
    return true;
  }

  /// What the model sees.
  [[nodiscard]] std::span<Token const> window() const { return std::span(tokens_).subspan(begin_); }

 private:
  std::vector<Token> tokens_;
  std::size_t context_;
  std::size_t begin_ = 0;
};

}  // namespace gpt2
