// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace zero_text {

/// The file of a vocabulary of characters: docs/data.md.
inline constexpr std::string_view characters_file = "characters.json";

/// The characters of such a file, or of a tokenizer.json of words of one character, by their tokens; nothing where
/// \p text is a JSON of another kind. \p name stands in
/// errors. \throws DataError where it is of this kind, but wrong.
[[nodiscard]] std::optional<std::u32string> parse_characters(std::string_view text, std::string const& name);

/// The pattern of a tokenizer.json in which each character is a word, those that end a line too.
inline constexpr std::string_view each_character = "[\\s\\S]";

/// The characters of a tokenizer.json of words of one character, by their tokens: what `transformers` reads of a model
/// that train_gpt2 has trained on text. Nothing where \p text is another kind of tokenizer.
[[nodiscard]] std::optional<std::u32string> characters_of_words(std::string_view text);

/// The text of a file of characters.
[[nodiscard]] std::string characters_to_json(std::u32string_view characters);

}  // namespace zero_text
