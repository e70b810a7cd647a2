// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/tokenizer.hpp"

#include "support/json_file.hpp"
#include "text/bpe.hpp"
#include "text/bpe_trainer.hpp"
#include "text/characters.hpp"
#include "text/model.hpp"
#include "text/text_file.hpp"

#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <utility>

namespace zero_text {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t cache_places = std::size_t{1} << 16U;

std::string code_point_name(char32_t code) {
  char text[16];
  std::snprintf(text, sizeof text, "U+%04X", static_cast<unsigned>(code));
  return text;
}

// Splits a text at its added tokens, and what is between them into words.
class Run {
 public:
  Run(Vocabulary const& vocabulary, WordMerger& merger, WordCache* cache, EncodeOptions const& options,
      std::vector<TokenId>& out)
      : vocabulary_(vocabulary), merger_(merger), cache_(cache), options_(options), out_(out) {}

  void encode(std::string_view text) {
    part(text, vocabulary_.added, [&](std::string_view piece) {
      if (!vocabulary_.composes || !may_need_nfc(piece)) return find_normalized(piece);
      find_normalized(to_nfc(piece));
    });
  }

  void encode_characters(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      auto const [code, bytes] = code_point_at(text, at);
      auto const found = vocabulary_.characters.find(code);
      if (found == vocabulary_.characters.end()) {
        throw DataError("the text has the character " + code_point_name(code) + " (byte " + std::to_string(at) +
                        "), which the vocabulary does not have");
      }
      out_.push_back(found->second);
      at += bytes;
    }
  }

 private:
  void find_normalized(std::string_view piece) {
    part(piece, vocabulary_.normalized_added, [&](std::string_view rest) { encode_words(rest); });
  }

  template <class Between>
  void part(std::string_view text, AddedTokens const& added, Between&& between) {
    std::size_t done = 0, at = 0;
    while (auto const* const token = added.find(text, at)) {
      std::size_t begin = at, end = at + token->content.size();
      at = end;
      if (token->special && !options_.recognize_special) continue;
      if (token->strips_left) begin = std::max(done, before_spaces(text, begin));
      if (token->strips_right) end = behind_spaces(text, end);
      if (done < begin) between(text.substr(done, begin - done));
      out_.push_back(token->id);
      done = end;
    }
    if (done < text.size()) between(text.substr(done));
  }

  static std::size_t behind_spaces(std::string_view text, std::size_t at) {
    while (at < text.size()) {
      auto const [code, bytes] = code_point_at(text, at);
      if ((CharacterClasses::get().of(code) & is_space) == 0) break;
      at += bytes;
    }
    return at;
  }
  static std::size_t before_spaces(std::string_view text, std::size_t at) {
    while (at > 0) {
      std::size_t begin = at - 1;
      while ((static_cast<unsigned char>(text[begin]) & 0xC0U) == 0x80U) --begin;
      if ((CharacterClasses::get().of(code_point_at(text, begin).code) & is_space) == 0) break;
      at = begin;
    }
    return at;
  }

  void encode_words(std::string_view text) {
    std::string with_space;
    if (vocabulary_.begins_with_space && !text.starts_with(' ')) {
      with_space.assign(1, ' ');
      with_space += text;
      text = with_space;
    }
    WordSplitter words(text, vocabulary_.pattern);
    for (auto word = words.next(); !word.empty(); word = words.next()) encode_word(word);
  }

  void encode_word(std::string_view word) {
    if (cache_ == nullptr || word.size() > WordCache::most_bytes) return merger_.merge(word, out_);
    auto& entry = cache_->place(word);
    if (std::string_view(entry.word, entry.bytes) == word) {
      out_.insert(out_.end(), entry.ids, entry.ids + entry.tokens);
      return;
    }
    auto const before = out_.size();
    merger_.merge(word, out_);
    auto const count = out_.size() - before;
    if (count > WordCache::most_tokens) return;
    entry.bytes = static_cast<std::uint8_t>(word.size());
    entry.tokens = static_cast<std::uint8_t>(count);
    std::copy(word.begin(), word.end(), entry.word);
    std::copy(out_.end() - static_cast<std::ptrdiff_t>(count), out_.end(), entry.ids);
  }

  Vocabulary const& vocabulary_;
  WordMerger& merger_;
  WordCache* cache_;
  EncodeOptions const& options_;
  std::vector<TokenId>& out_;
};

void encode_with(Vocabulary const& vocabulary, WordMerger& merger, WordCache* cache, std::string_view text,
                 EncodeOptions const& options, std::vector<TokenId>& out) {
  std::string replaced;
  if (auto const at = first_malformed(text); at != text.size()) {
    if (options.malformed == Malformed::refuse) throw InvalidUtf8(at);
    replaced = replace_malformed(text);
    text = replaced;
  }
  auto const held = out.size();
  try {
    if (options.add_special_tokens) out.insert(out.end(), vocabulary.before.begin(), vocabulary.before.end());
    Run run(vocabulary, merger, cache, options, out);
    if (vocabulary.kind == TokenizerKind::characters) {
      run.encode_characters(text);
    } else {
      run.encode(text);
    }
    if (options.add_special_tokens) out.insert(out.end(), vocabulary.after.begin(), vocabulary.after.end());
  } catch (...) {
    out.resize(held);
    throw;
  }
}

}  // namespace

InvalidUtf8::InvalidUtf8(std::size_t at)
    : DataError("the text is not UTF-8: byte " + std::to_string(at) + " begins no character"), at_(at) {}

// ---------------------------------------------------------------------------------------------------- the tokenizer

Tokenizer Tokenizer::load(fs::path const& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return from_json(read_text_file(path, "a tokenizer.json"), path.string());
  for (auto const* const file : {"tokenizer.json", characters_file.data()}) {
    if (fs::exists(path / file, error)) return from_json(read_text_file(path / file, ""), (path / file).string());
  }
  if (fs::exists(path / "vocab.json", error) && fs::exists(path / "merges.txt", error)) {
    return from_vocabulary(read_text_file(path / "vocab.json", ""), read_text_file(path / "merges.txt", ""),
                           path.string());
  }
  throw DataError(path.string() + ": has no tokenizer.json, " + std::string(characters_file) +
                  ", or vocab.json with merges.txt");
}

TokenizerText read_tokenizer_text(fs::path const& path) {
  std::error_code error;
  TokenizerText file{"tokenizer.json", {}};
  if (!fs::is_directory(path, error)) {
    file.text = read_text_file(path, "a tokenizer.json");
  } else if (fs::exists(path / "tokenizer.json", error)) {
    file.text = read_text_file(path / "tokenizer.json", "");
  } else if (fs::exists(path / characters_file, error)) {
    file.text = read_text_file(path / characters_file, "");
  } else {
    if (!fs::exists(path / "vocab.json", error)) static_cast<void>(Tokenizer::load(path));  // says what is missing
    auto const vocabulary = read_text_file(path / "vocab.json", "");
    auto const merges = read_text_file(path / "merges.txt", "the merges of vocab.json");
    static_cast<void>(Tokenizer::from_vocabulary(vocabulary, merges, path.string()));
    file.text = to_tokenizer_json(vocabulary, merges, path.string());
  }
  if (parse_characters(file.text, path.string())) file.name = characters_file;
  return file;
}

Tokenizer Tokenizer::from_json(std::string_view text, std::string const& name) {
  if (auto const characters = parse_characters(text, name)) return of_characters(*characters);
  return Tokenizer(std::make_shared<Vocabulary const>(read_tokenizer_json(text, name)));
}

Tokenizer Tokenizer::from_vocabulary(std::string_view vocabulary, std::string_view merges, std::string const& name) {
  return Tokenizer(std::make_shared<Vocabulary const>(read_vocabulary_and_merges(vocabulary, merges, name)));
}

Tokenizer Tokenizer::of_characters(std::u32string_view characters) {
  if (characters.empty()) throw DataError("a vocabulary of characters has none");
  Vocabulary made;
  made.kind = TokenizerKind::characters;
  made.byte_tokens.fill(no_token);
  for (char32_t const code : characters) {
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      throw DataError("a vocabulary of characters has " + code_point_name(code) + ", which is none");
    }
    if (!made.characters.emplace(code, static_cast<TokenId>(made.tokens.size())).second) {
      throw DataError("a vocabulary of characters has " + code_point_name(code) + " twice");
    }
    Vocabulary::Token token;
    zero::append_utf8(token.bytes, code);
    token.exists = true;
    made.tokens.push_back(std::move(token));
  }
  return Tokenizer(std::make_shared<Vocabulary const>(std::move(made)));
}

std::vector<TokenId> Tokenizer::encode(std::string_view text, EncodeOptions const& options) const {
  std::vector<TokenId> out;
  WordMerger merger(*content_);
  encode_with(*content_, merger, nullptr, text, options, out);
  return out;
}

std::string Tokenizer::decode(std::span<TokenId const> tokens, bool skip_special_tokens) const {
  std::string bytes;
  for (auto const token : tokens) {
    if (!skip_special_tokens || !is_special(token)) bytes += bytes_of(token);
  }
  return first_malformed(bytes) == bytes.size() ? bytes : replace_malformed(bytes);
}

std::string_view Tokenizer::bytes_of(TokenId token) const noexcept {
  return token < content_->tokens.size() ? std::string_view(content_->tokens[token].bytes) : std::string_view();
}

std::optional<TokenId> Tokenizer::id_of(std::string_view spelled) const {
  for (auto const* const added : {&content_->added, &content_->normalized_added}) {
    for (auto const& token : added->all()) {
      if (token.content == spelled) return token.id;
    }
  }
  if (content_->kind == TokenizerKind::characters) {
    auto const character = zero::first_utf8(spelled);
    if (!character || character->bytes != spelled.size()) return std::nullopt;
    auto const found = content_->characters.find(character->code);
    return found == content_->characters.end() ? std::nullopt : std::optional(found->second);
  }
  auto const found = content_->ids.find(spelled);
  return found == content_->ids.end() ? std::nullopt : std::optional(found->second);
}

bool Tokenizer::is_special(TokenId token) const noexcept {
  return token < content_->tokens.size() && content_->tokens[token].special;
}

std::optional<TokenId> Tokenizer::end_of_text() const {
  for (auto const* const name : {"<|endoftext|>", "<|end_of_text|>", "</s>"}) {
    if (auto const id = id_of(name); id && is_special(*id)) return id;
  }
  return std::nullopt;
}

std::size_t Tokenizer::vocabulary() const noexcept { return content_->tokens.size(); }
TokenizerKind Tokenizer::kind() const noexcept { return content_->kind; }

// ------------------------------------------------------------------------------------------------------ the encoder

struct Encoder::State {
  explicit State(Tokenizer of) : tokenizer(std::move(of)), merger(tokenizer.content()), cache(cache_places) {}

  Tokenizer tokenizer;
  WordMerger merger;
  WordCache cache;
};

Encoder::Encoder(Tokenizer tokenizer) : state_(std::make_unique<State>(std::move(tokenizer))) {}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

void Encoder::encode(std::string_view text, EncodeOptions const& options, std::vector<TokenId>& out) {
  encode_with(state_->tokenizer.content(), state_->merger, &state_->cache, text, options, out);
}

// ---------------------------------------------------------------------------------------------------- one at a time

std::string StreamDecoder::push(TokenId token) {
  if (skips_special_ && tokenizer_.is_special(token)) return {};
  pending_ += tokenizer_.bytes_of(token);
  return take_complete(pending_);
}

std::string StreamDecoder::finish() { return replace_malformed(std::exchange(pending_, {})); }

}  // namespace zero_text
