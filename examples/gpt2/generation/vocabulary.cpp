// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "vocabulary.hpp"

#include <zero/utility/utf8.hpp>

#include <algorithm>

namespace gpt2 {

CharacterVocabulary::CharacterVocabulary(std::string_view characters) {
  while (!characters.empty()) {
    auto const character = zero::first_utf8(characters);
    bool const ascends = character && (characters_.empty() || character->code > characters_.back());
    if (!ascends) throw std::invalid_argument("gpt2::CharacterVocabulary: characters must be UTF-8, and ascending");
    characters_.push_back(character->code);
    characters.remove_prefix(character->bytes);
  }
}

std::vector<Token> CharacterVocabulary::encode(std::string_view text) const {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    auto const character = zero::first_utf8(text.substr(at));
    if (!character) throw EncodingError("is not UTF-8", at);
    auto const found = std::lower_bound(characters_.begin(), characters_.end(), character->code);
    if (found == characters_.end() || *found != character->code) {
      auto const shown = character->code < 0x20 || character->code == 0x7F
                             ? "a control character"
                             : "'" + std::string(text.substr(at, character->bytes)) + "'";
      throw EncodingError("has " + shown + ", which is no character of the text that the model was trained on", at);
    }
    tokens.push_back(static_cast<Token>(found - characters_.begin()));
    at += character->bytes;
  }
  return tokens;
}

std::string CharacterVocabulary::text_of(Token token) const {
  std::string text;
  zero::append_utf8(text, token < characters_.size() ? characters_[token] : U'\uFFFD');
  return text;
}

}  // namespace gpt2
