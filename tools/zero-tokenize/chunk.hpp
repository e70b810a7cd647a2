// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zero_tokenize {

/// One file of text.
struct Input {
  std::string path;
  bool json_lines = false;
  bool validation = false;  ///< all of it
  std::uint64_t bytes = 0;
  std::uint64_t fingerprint = 0;  ///< of its first and last 64 KiB: whether it is the file that a run began with
};

/// Looks at the inputs of \p options. \throws DataError where one is missing or is no regular file.
[[nodiscard]] std::vector<Input> look_at_inputs(Options const& options);

/// Where a chunk begins.
struct Position {
  std::size_t input = 0;
  std::uint64_t offset = 0;      ///< bytes
  std::uint64_t line = 1;        ///< of JSON Lines
  bool within_document = false;  ///< an earlier chunk has begun the document
};

/// A piece of an input that may be encoded by itself: whole documents, or a part of one that is a file.
struct Chunk {
  Position begin, end;
  std::string text;
  bool ends_document = false;  ///< where the file is one document: whether it ends here
};

/// How the text of a file that is one document may be cut.
enum class Cut : std::uint8_t {
  nowhere,   ///< a token may reach over any place
  at_words,  ///< between a letter and a space, where no pattern's word and no composition reaches over
  at_characters
};

/// Cuts inputs into chunks, in order. Where they begin and end depends on the inputs and the size alone.
class ChunkReader {
 public:
  ChunkReader(std::vector<Input> const& inputs, Documents documents, Cut cut, std::size_t chunk_bytes, Position begin)
      : inputs_(inputs), documents_(documents), cut_(cut), chunk_bytes_(chunk_bytes), at_(begin) {}

  /// The next chunk; nothing behind the last. \throws DataError where an input cannot be read, or has shrunk.
  [[nodiscard]] std::optional<Chunk> next();

 private:
  void open();
  bool fill(std::size_t bytes);
  [[nodiscard]] std::size_t find_end(bool at_end_of_file) const;
  [[nodiscard]] std::size_t last_document_end() const;
  [[nodiscard]] std::size_t last_word_end() const;

  std::vector<Input> const& inputs_;
  Documents documents_;
  Cut cut_;
  std::size_t chunk_bytes_;
  Position at_;
  std::ifstream file_;
  bool is_open_ = false;
  std::string buffer_;  // what was read from `at_` on
};

/// Calls `take(document)` for each document of \p text.
template <class Take>
void each_document(std::string_view text, Documents documents, Take&& take) {
  std::string_view const end = documents == Documents::paragraph ? "\n\n" : "\n";
  while (!text.empty()) {
    auto const found = documents == Documents::file ? std::string_view::npos : text.find(end);
    auto const size = found == std::string_view::npos ? text.size() : found + end.size();
    take(text.substr(0, size));
    text.remove_prefix(size);
  }
}

}  // namespace zero_tokenize
