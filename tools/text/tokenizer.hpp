// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/data_error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Text to tokens and back.
namespace zero_text {

using command_line::DataError;

using TokenId = std::uint32_t;

/// A text that is not UTF-8. `what()` names the byte.
class InvalidUtf8 : public DataError {
 public:
  explicit InvalidUtf8(std::size_t at);
  /// The first byte, counted from 0, at which no well-formed character begins.
  [[nodiscard]] std::size_t at() const noexcept { return at_; }

 private:
  std::size_t at_;
};

/// What becomes of bytes that are not UTF-8.
enum class Malformed : std::uint8_t {
  refuse,   ///< InvalidUtf8 is thrown
  replace,  ///< U+FFFD takes their place, as in Python's decode(errors="replace")
};

/// How a text becomes tokens. The defaults are those of the `tokenizers` package, but for the template.
struct EncodeOptions {
  bool add_special_tokens = false;  ///< what the file's template puts around a text, such as Llama 3's begin of text
  bool recognize_special = true;    ///< false: a special token that is spelled out in the text is text like any other
  Malformed malformed = Malformed::refuse;
};

/// What a vocabulary is made of.
enum class TokenizerKind : std::uint8_t { bpe, characters };

struct Vocabulary;  // model.hpp

/// A vocabulary and how text becomes tokens of it: byte-level BPE, as the `tokenizers` package computes it, or
/// characters. A value: copies share what is read only, and may be used by several threads at once.
class Tokenizer {
 public:
  /// Reads a `tokenizer.json`; a `characters.json`; or a folder with one of them, or with `vocab.json` and `merges.txt`
  /// (GPT-2's). \throws DataError where it is missing, cut off, or asks for something that is not computed here, which
  /// is named: never are other ids computed.
  [[nodiscard]] static Tokenizer load(std::filesystem::path const& path);
  /// The content of a `tokenizer.json` or `characters.json`; \p name stands in errors. \throws DataError.
  [[nodiscard]] static Tokenizer from_json(std::string_view text, std::string const& name);
  /// The contents of `vocab.json` and `merges.txt`, with GPT-2's pattern. \throws DataError.
  [[nodiscard]] static Tokenizer from_vocabulary(std::string_view vocabulary, std::string_view merges,
                                                 std::string const& name);
  /// Token i is character i. \throws DataError where one is there twice, is a surrogate, or there are none.
  [[nodiscard]] static Tokenizer of_characters(std::u32string_view characters);

  /// The tokens of \p text. \throws InvalidUtf8; DataError for a character or byte that has no token. For much text use
  /// an Encoder, which remembers words.
  [[nodiscard]] std::vector<TokenId> encode(std::string_view text, EncodeOptions const& options = {}) const;

  /// The text of \p tokens; bytes that are not UTF-8 become U+FFFD, and an id that no token has is left out, as in the
  /// `tokenizers` package.
  [[nodiscard]] std::string decode(std::span<TokenId const> tokens, bool skip_special_tokens = false) const;

  /// The bytes of one token, which need not be whole characters; empty for an id that no token has.
  [[nodiscard]] std::string_view bytes_of(TokenId token) const noexcept;

  /// The id of the token that is spelled so: an added token by its text, another by its bytes.
  [[nodiscard]] std::optional<TokenId> id_of(std::string_view spelled) const;

  /// Whether \p token is one that marks something, and is no text.
  [[nodiscard]] bool is_special(TokenId token) const noexcept;

  /// What ends a document or an answer: `<|endoftext|>`, `<|end_of_text|>` or `</s>`, whichever there is.
  [[nodiscard]] std::optional<TokenId> end_of_text() const;

  /// All ids are below this.
  [[nodiscard]] std::size_t vocabulary() const noexcept;
  [[nodiscard]] TokenizerKind kind() const noexcept;

  /// What the tokens are made of, for the parts of this library.
  [[nodiscard]] Vocabulary const& content() const noexcept { return *content_; }

 private:
  explicit Tokenizer(std::shared_ptr<Vocabulary const> content) : content_(std::move(content)) {}

  std::shared_ptr<Vocabulary const> content_;
};

/// A tokenizer's file, as a folder of shards keeps it.
struct TokenizerText {
  std::string name;  ///< tokenizer.json or characters.json
  std::string text;
};

/// What `Tokenizer::load` reads at \p path, as one file: vocab.json and merges.txt become a tokenizer.json.
/// \throws DataError.
[[nodiscard]] TokenizerText read_tokenizer_text(std::filesystem::path const& path);

/// Encodes much text: words that come again are looked up. Of one thread; the tokenizer may be shared.
class Encoder {
 public:
  explicit Encoder(Tokenizer tokenizer);
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  /// Appends the tokens of \p text to \p out. \throws as Tokenizer::encode does; \p out then holds what it held.
  void encode(std::string_view text, EncodeOptions const& options, std::vector<TokenId>& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Decodes tokens one at a time, as they are sampled: gives out whole characters only, so that what was printed is
/// never taken back. The pieces together are Tokenizer::decode of all tokens.
class StreamDecoder {
 public:
  explicit StreamDecoder(Tokenizer tokenizer, bool skip_special_tokens = false)
      : tokenizer_(std::move(tokenizer)), skips_special_(skip_special_tokens) {}

  /// The characters that \p token completes; empty where it ends within one.
  [[nodiscard]] std::string push(TokenId token);
  /// What is left at the end: U+FFFD for a character that was begun, or nothing.
  [[nodiscard]] std::string finish();

 private:
  Tokenizer tokenizer_;
  bool skips_special_;
  std::string pending_;  // an incomplete character, of at most three bytes
};

}  // namespace zero_text
