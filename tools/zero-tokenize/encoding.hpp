// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "chunk.hpp"
#include "options.hpp"
#include "text/tokenizer.hpp"
#include "text/unicode.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zero_tokenize {

/// The tokens of a chunk, by split, with those that part documents.
struct EncodedChunk {
  Position end;
  std::uint64_t bytes = 0;  ///< of text
  std::vector<zero_text::TokenId> train, validation;
};

/// What documents become, beside the options.
struct Target {
  std::optional<zero_text::TokenId> separator{};
  Separator place = Separator::none;
  std::vector<bool> goes_to_validation{};  ///< by input: all of it, where it is one document or was named so
};

/// How far a text of one document may be cut without a change of its tokens.
[[nodiscard]] Cut cut_of(zero_text::Tokenizer const& tokenizer);

/// The split of a document: a function of its bytes and of the share alone.
[[nodiscard]] bool is_for_validation(std::uint64_t hash, double share) noexcept;

/// The text of line \p number of the JSON Lines of \p path. \throws DataError, which names the line.
[[nodiscard]] std::string text_of_line(std::string_view line, std::string const& key, std::string const& path,
                                       std::uint64_t number);

/// Calls `take(text, at)` for each document of \p chunk, or for the part of one; `at` is where it begins in the chunk.
/// Blank lines of JSON Lines are none. In a line that is not UTF-8 `replace` mends the text before it is read as JSON,
/// as Python does where a file is opened with errors="replace". \throws DataError.
template <class Take>
void each_text(Chunk const& chunk, Input const& input, Options const& options, Take&& take) {
  if (!input.json_lines) {
    std::size_t at = 0;
    return each_document(chunk.text, options.documents, [&](std::string_view text) {
      take(text, at);
      at += text.size();
    });
  }
  std::uint64_t line = chunk.begin.line;
  std::size_t at = 0;
  each_document(chunk.text, Documents::line, [&](std::string_view text) {
    if (text.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      bool const is_mended = options.replace && zero_text::first_malformed(text) != text.size();
      std::string const mended = is_mended ? zero_text::replace_malformed(text) : std::string();
      auto const key = options.json_key.value_or("text");
      take(text_of_line(is_mended ? mended : text, key, input.path, line), at);
    }
    ++line;
    at += text.size();
  });
}

/// Encodes chunks. Of one thread.
class ChunkEncoder {
 public:
  ChunkEncoder(zero_text::Tokenizer const& tokenizer, std::vector<Input> const& inputs, Options const& options,
               Target const& target)
      : encoder_(tokenizer), inputs_(inputs), options_(options), target_(target) {}

  /// \throws DataError, which names the file and the byte or line.
  [[nodiscard]] EncodedChunk operator()(Chunk const& chunk);

 private:
  void encode(std::string_view text, Chunk const& chunk, std::size_t at, std::vector<zero_text::TokenId>& out);

  zero_text::Encoder encoder_;
  std::vector<Input> const& inputs_;
  Options const& options_;
  Target const& target_;
};

}  // namespace zero_tokenize
