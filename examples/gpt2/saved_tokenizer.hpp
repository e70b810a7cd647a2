// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// The files that a tokenizer may have beside a model.
inline constexpr std::array tokenizer_files{
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "merges.txt",     "chat_template.jinja"};

/// What of a tokenizer lies beside a model, as `transformers` has it.
struct SavedTokenizer {
  std::map<std::string, std::string> files{};   ///< contents by their names
  std::optional<std::uint64_t> begin{}, end{};  ///< tokens that begin and end a text
  std::string origin{};                         ///< the file that it is from, for messages
  bool of_characters = false;                   ///< of the text that the run trains on

  /// Whether the folder of a model has one at all.
  [[nodiscard]] bool is_there() const noexcept { return !files.empty(); }
};

/// A tokenizer whose token i is character i of \p characters, UTF-8: one of words of one character. A model takes
/// \p context tokens.
[[nodiscard]] SavedTokenizer tokenizer_of_characters(std::string_view characters, std::size_t context);

/// The characters of such a tokenizer in the order of their tokens, from the text of its tokenizer.json; nothing where
/// it is another kind of tokenizer.
[[nodiscard]] std::optional<std::string> characters_of_tokenizer(std::string_view json);

/// The tokenizer that lies in \p folder: that of a folder of shards, which its manifest names; or of a model or another
/// folder, a tokenizer.json with what `transformers` keeps beside it. Nothing where there is none.
/// \throws DataError for one that is damaged, that is not the one which the manifest names, or that has tokens beyond
/// \p vocabulary.
[[nodiscard]] std::optional<SavedTokenizer> read_tokenizer(std::filesystem::path const& folder, std::size_t vocabulary,
                                                           std::size_t context);

/// The tokenizer of a run: that of \p characters where the data are text; or the one beside the tokens \p data, files,
/// folders or patterns of files; or the one beside the model \p init_from. \throws DataError as read_tokenizer does,
/// and where two data sets have different ones.
[[nodiscard]] SavedTokenizer find_tokenizer(std::string const& characters, std::vector<std::string> const& data,
                                            std::optional<std::string> const& init_from, std::size_t vocabulary,
                                            std::size_t context);

/// The characters that a model was trained on, in the order of their tokens, where its folder says them; else empty.
/// \p model: the folder, or a file in it.
[[nodiscard]] std::string characters_beside(std::string const& model);

}  // namespace gpt2
