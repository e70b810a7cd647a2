// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../weights.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpt2 {

/// A text that a vocabulary cannot encode: what is wrong, and at which of its bytes, counted from 0.
class EncodingError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  EncodingError(std::string const& what, std::size_t at)
      : std::runtime_error(what + " (byte " + std::to_string(at) + ")") {}
};

/// What tokens stand for.
class Vocabulary {
 public:
  Vocabulary() = default;
  Vocabulary(Vocabulary const&) = delete;
  Vocabulary& operator=(Vocabulary const&) = delete;
  virtual ~Vocabulary() = default;

  /// \throws EncodingError for what is not UTF-8, or has no tokens.
  [[nodiscard]] virtual std::vector<Token> encode(std::string_view text) const = 0;
  /// What \p token adds to a text, which need not be whole characters.
  [[nodiscard]] virtual std::string text_of(Token token) const = 0;
  /// What ends a text, if anything does.
  [[nodiscard]] virtual std::optional<Token> end_of_text() const { return std::nullopt; }
  /// How many tokens it has; a model may have more, which stand for nothing.
  [[nodiscard]] virtual std::size_t size() const = 0;
};

/// Each character is a token: what train_gpt2 makes of a text.
class CharacterVocabulary final : public Vocabulary {
 public:
  /// \p characters are those of the tokens, in their order, in UTF-8. \throws std::invalid_argument where they are not
  /// UTF-8, or not ascending.
  explicit CharacterVocabulary(std::string_view characters);

  [[nodiscard]] std::vector<Token> encode(std::string_view text) const override;
  [[nodiscard]] std::string text_of(Token token) const override;
  [[nodiscard]] std::size_t size() const override { return characters_.size(); }

 private:
  std::vector<char32_t> characters_;
};

}  // namespace gpt2
