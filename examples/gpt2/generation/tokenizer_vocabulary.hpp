// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/tokenizer.hpp"
#include "vocabulary.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gpt2 {

/// What a tokenizer's file says: byte-level BPE, whose tokens need not be whole characters. Special tokens are
/// recognized where a text spells them.
class TokenizerVocabulary final : public Vocabulary {
 public:
  explicit TokenizerVocabulary(zero_text::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

  [[nodiscard]] std::vector<Token> encode(std::string_view text) const override;
  [[nodiscard]] std::string text_of(Token token) const override { return std::string(tokenizer_.bytes_of(token)); }
  [[nodiscard]] std::optional<Token> end_of_text() const override { return tokenizer_.end_of_text(); }
  [[nodiscard]] std::size_t size() const override { return tokenizer_.vocabulary(); }

 private:
  zero_text::Tokenizer tokenizer_;
};

/// The vocabulary of a tokenizer.json, of characters or of BPE; \p name stands in errors. \throws DataError.
[[nodiscard]] std::shared_ptr<Vocabulary const> vocabulary_of_json(std::string_view json, std::string const& name);

/// That of a tokenizer's file, or of a folder with one. \throws DataError where it is missing, or damaged.
[[nodiscard]] std::shared_ptr<Vocabulary const> read_vocabulary(std::filesystem::path const& path);

}  // namespace gpt2
