// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../weights.hpp"
#include "decoder_weights.hpp"
#include "text/tokenizer.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

namespace gpt2 {

/// What a model that generates text is read from: a checkpoint of train_gpt2, of any stage and number of ranks, or a
/// model as `transformers` saves it.
struct TextSource {
  std::string name;  ///< for messages
  ModelShape shape{};
  ReadParameter read;                                ///< valid on its own
  std::optional<zero_text::Tokenizer> vocabulary{};  ///< nothing where it is not known what tokens stand for
  std::optional<Token> end_of_text{};                ///< as the model says it, or the vocabulary
};

/// What \p token adds to a text, which need not be whole characters; U+FFFD where the vocabulary, which there is, has
/// no such token.
[[nodiscard]] std::string text_of(zero_text::Tokenizer const& vocabulary, Token token);

/// What of a source its files may not say.
struct TextSourceHints {
  std::optional<std::size_t> heads{};       ///< of a model without config.json
  std::optional<std::string> characters{};  ///< a text whose characters are the tokens
  std::optional<std::string> tokenizer{};   ///< a tokenizer's file, or a folder with one
  bool allows_other_tokenizer = false;      ///< whether these may contradict what the model says of its tokens
};

/// Opens \p path and checks that it is a whole GPT-2, without reading its parameters.
/// \throws DataError, UsageError, zero::CheckpointError
[[nodiscard]] TextSource open_text_source(std::string const& path, TextSourceHints const& hints);

}  // namespace gpt2
