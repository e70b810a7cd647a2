// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "text/added_tokens.hpp"
#include "text/pair_table.hpp"
#include "text/tokenizer.hpp"
#include "text/word_splitter.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace zero_text {

inline constexpr TokenId no_token = UINT32_MAX;

/// Everything that a tokenizer's file says.
struct Vocabulary {
  struct Token {
    std::string bytes;
    bool exists = false, special = false;
  };

  TokenizerKind kind = TokenizerKind::bpe;
  std::vector<Token> tokens;  ///< by id

  // Byte-level BPE.
  std::unordered_map<std::string_view, TokenId> ids;  ///< of the model's tokens, by their bytes, which `tokens` owns
  std::array<TokenId, 256> byte_tokens{};             ///< no_token where the vocabulary lacks one
  PairTable merges;
  Pattern pattern = Pattern::gpt2;
  bool composes = false;           ///< NFC comes first
  bool takes_whole_words = false;  ///< a word that is a token is that token, whatever the merges are
  bool begins_with_space = false;  ///< a space is put before a text without one
  AddedTokens added, normalized_added;
  std::vector<TokenId> before, after;  ///< a text, with its special tokens

  // Characters.
  std::unordered_map<char32_t, TokenId> characters;
};

/// Reads a tokenizer.json. \throws DataError.
[[nodiscard]] Vocabulary read_tokenizer_json(std::string_view text, std::string const& name);
/// GPT-2's two files. \throws DataError.
[[nodiscard]] Vocabulary read_vocabulary_and_merges(std::string_view vocabulary, std::string_view merges,
                                                    std::string const& name);

}  // namespace zero_text
