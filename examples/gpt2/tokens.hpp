// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "layers.hpp"
#include "support/data_error.hpp"

#include <zero/utility/fingerprint.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

using command_line::DataError;

enum class Split : std::uint8_t { train, validation };

/// What a model asks of its data.
struct DataRequirements {
  std::size_t context;         ///< each split must hold at least one token more
  std::size_t vocabulary = 0;  ///< must cover all tokens; 0: as the data has it
  std::string characters{};    ///< a text's, in UTF-8 and ascending; empty: those that it has
};

/// The distinct characters of \p texts in UTF-8, ascending. \throws DataError where one cannot be read or is no text.
[[nodiscard]] std::string characters_of(std::vector<std::filesystem::path> const& texts);

/// The numbers of \p tokens: what is left to say where their text is not known.
[[nodiscard]] std::string numbers_of(std::span<Token const> tokens);

/// A text to train and to validate on, in memory as tokens.
///
/// A text is UTF-8; its vocabulary is its distinct characters (code points, which are bytes where the text is ASCII) in
/// ascending order. The first 90 % are for training and the rest for validation, unless a second file is given. Files
/// of tokens are TrainingData's (data/training_data.hpp).
class Corpus {
 public:
  /// Reads \p file, or \p file and \p validation.
  /// \throws DataError when a file is missing, empty, a folder, no text, shorter than a context in a split, or beyond
  /// the vocabulary.
  [[nodiscard]] static Corpus load(std::filesystem::path const& file, DataRequirements const& requirements,
                                   std::optional<std::filesystem::path> const& validation = {});

  /// Text that every machine with a C++ compiler has: the headers of the standard library, up to 4 MB of them in the
  /// order of their names. Looks for a folder with <vector> among \p include_directories, separated by '|'.
  /// \throws DataError when there is none.
  [[nodiscard]] static Corpus of_standard_headers(DataRequirements const& requirements,
                                                  std::string_view include_directories = default_include_directories());

  /// The include directories of the compiler that built this file.
  [[nodiscard]] static std::string_view default_include_directories();

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  /// FNV-1a, 64 bits, over the bytes of the file or files.
  [[nodiscard]] std::uint64_t hash() const noexcept { return fingerprint_.value(); }
  /// Tokens are below this: what was required, or what the data has.
  [[nodiscard]] std::size_t vocabulary() const noexcept { return vocabulary_; }
  [[nodiscard]] std::span<std::uint16_t const> tokens(Split split) const noexcept {
    return tokens_[static_cast<std::size_t>(split)];
  }

  /// The tokens of \p text. \throws DataError for a character that the data does not have.
  [[nodiscard]] std::vector<Token> encode(std::string_view text) const;

  /// In the order of their tokens, in UTF-8.
  [[nodiscard]] std::string characters() const;

  /// The characters of \p tokens in UTF-8.
  [[nodiscard]] std::string decode(std::span<Token const> tokens) const;

 private:
  Corpus(std::string name, DataRequirements const& requirements) : name_(std::move(name)), required_(requirements) {}

  void add_bytes(std::string_view bytes);
  void set_text(std::string const& train, std::optional<std::string> const& validation);
  void require_vocabulary(std::size_t needed) const;
  void require_length() const;
  void require_characters(std::u32string const& text) const;

  std::string name_;
  DataRequirements required_;
  std::size_t bytes_ = 0;
  zero::Fingerprint fingerprint_;
  std::size_t vocabulary_ = 0;
  std::vector<char32_t> symbols_;  // ascending; a token is an index into them
  std::array<std::vector<std::uint16_t>, 2> tokens_;
};

}  // namespace gpt2
