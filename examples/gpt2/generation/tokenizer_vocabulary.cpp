// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tokenizer_vocabulary.hpp"

#include "../saved_tokenizer.hpp"
#include "text_file.hpp"

#include <system_error>

namespace gpt2 {

std::vector<Token> TokenizerVocabulary::encode(std::string_view text) const {
  try {
    return tokenizer_.encode(text);
  } catch (zero_text::InvalidUtf8 const& error) {
    throw EncodingError("is not UTF-8", error.at());
  } catch (zero_text::DataError const& error) {
    throw EncodingError(error.what());
  }
}

std::shared_ptr<Vocabulary const> vocabulary_of_json(std::string_view json, std::string const& name) {
  if (auto const characters = characters_of_tokenizer(json)) return std::make_shared<CharacterVocabulary>(*characters);
  return std::make_shared<TokenizerVocabulary>(zero_text::Tokenizer::from_json(json, name));
}

std::shared_ptr<Vocabulary const> read_vocabulary(std::filesystem::path const& path) {
  std::error_code error;
  auto const file = std::filesystem::is_directory(path, error) ? path / "tokenizer.json" : path;
  if (file.filename() == "tokenizer.json" && std::filesystem::exists(file, error)) {
    return vocabulary_of_json(read_text_file(file.string()), file.string());
  }
  return std::make_shared<TokenizerVocabulary>(zero_text::Tokenizer::load(path));
}

}  // namespace gpt2
