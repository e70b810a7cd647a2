// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tokens.hpp"

#include "support/counted.hpp"
#include "support/data_error.hpp"

#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

namespace gpt2 {
namespace {

using command_line::refuse_data;

namespace fs = std::filesystem;

constexpr std::size_t most_symbols = 65536;  // tokens are kept in 16 bits
constexpr std::size_t most_header_bytes = std::size_t{4} << 20;

std::string read_file(fs::path const& file) {
  std::error_code error;
  auto const status = fs::status(file, error);
  if (!fs::exists(status))
    refuse_data(file.string(), "no such file; give the path of a text or of a token file (.bin)");
  if (fs::is_directory(status)) refuse_data(file.string(), "is a folder; give the path of a file in it");
  if (!fs::is_regular_file(status)) refuse_data(file.string(), "is not a regular file; copy its content to one");
  std::string content(fs::file_size(file, error), '\0');
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream.read(content.data(), static_cast<std::streamsize>(content.size())))
    refuse_data(file.string(), "cannot be read; check its permissions");
  if (content.empty()) refuse_data(file.string(), "is empty; give a file with text or tokens");
  return content;
}

std::u32string parse_text(std::string const& name, std::string_view bytes) {
  std::u32string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    auto const character = zero::first_utf8(bytes.substr(at));
    if (!character || character->code == 0) {
      refuse_data(name, "is not UTF-8 text (byte " + std::to_string(at) +
                            "); convert it, or let a token file's name end in .bin");
    }
    text.push_back(character->code);
    at += character->bytes;
  }
  return text;
}

std::vector<char32_t> distinct(std::u32string const& text) {
  std::vector<bool> seen(0x110000);
  for (char32_t const code : text) seen[code] = true;
  std::vector<char32_t> symbols;
  for (char32_t code = 0; code < seen.size(); ++code) {
    if (seen[code]) symbols.push_back(code);
  }
  return symbols;
}

template <class Sequence>
Sequence cut_off_tail(Sequence& all) {
  auto const kept = all.size() - all.size() / 10;
  Sequence tail(all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
  all.resize(kept);
  return tail;
}

// The headers of one folder, by name: those without an extension, and those for internal use below bits (libstdc++) or
// a folder whose name begins with two underscores (libc++).
std::vector<fs::path> headers_of(fs::path const& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (auto const& entry : fs::directory_iterator(folder, ignored)) {
    auto const name = entry.path().filename().string();
    if (entry.is_regular_file(ignored) && !entry.path().has_extension()) files.push_back(entry.path());
    if (!entry.is_directory(ignored) || (name != "bits" && !name.starts_with("__"))) continue;
    for (auto const& inner : fs::directory_iterator(entry.path(), ignored)) {
      if (inner.path().extension() == ".h" && inner.is_regular_file(ignored)) files.push_back(inner.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::optional<fs::path> folder_of_headers(std::string_view directories) {
  while (!directories.empty()) {
    auto const end = std::min(directories.find('|'), directories.size());
    fs::path const folder(directories.substr(0, end));
    std::error_code ignored;
    if (fs::is_regular_file(folder / "vector", ignored)) return folder;
    directories.remove_prefix(std::min(end + 1, directories.size()));
  }
  return std::nullopt;
}

}  // namespace

std::string characters_of(std::vector<fs::path> const& texts) {
  std::u32string all;
  for (auto const& file : texts) {
    auto const symbols = distinct(parse_text(file.string(), read_file(file)));
    all.append(symbols.begin(), symbols.end());
  }
  std::string characters;
  for (char32_t const code : distinct(all)) zero::append_utf8(characters, code);
  return characters;
}

std::string numbers_of(std::span<Token const> tokens) {
  std::string text;
  for (auto const token : tokens) text.append(text.empty() ? "" : " ").append(std::to_string(token));
  return text;
}

std::string_view Corpus::default_include_directories() {
#if defined(GPT2_INCLUDE_DIRECTORIES)
  return GPT2_INCLUDE_DIRECTORIES;
#else
  return "/usr/include/c++/v1";
#endif
}

void Corpus::add_bytes(std::string_view bytes) {
  bytes_ += bytes.size();
  fingerprint_.add_text(bytes);
}

void Corpus::require_vocabulary(std::size_t needed) const {
  if (needed <= vocabulary_) return;
  refuse_data(name_, "needs a vocabulary of at least " + std::to_string(needed) + ", not " +
                         std::to_string(vocabulary_) + "; give a larger vocabulary or other data");
}

void Corpus::require_length() const {
  for (auto const split : {Split::train, Split::validation}) {
    if (tokens(split).size() > required_.context) continue;
    std::string const which = split == Split::train ? "training" : "validation";
    refuse_data(name_, "has " + command_line::counted(tokens(split).size(), "token") + " for " + which +
                           ", but a context of " + std::to_string(required_.context) +
                           " needs one more than that; give more text or a shorter context");
  }
}

void Corpus::require_characters(std::u32string const& text) const {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (std::binary_search(symbols_.begin(), symbols_.end(), text[at])) continue;
    std::string character;
    zero::append_utf8(character, text[at]);
    refuse_data(name_, "has the character '" + (text[at] < 0x20 ? std::to_string(std::uint32_t{text[at]}) : character) +
                           "' as number " + std::to_string(at) +
                           ", which the text that the model was trained on has not; leave it out, or train on tokens");
  }
}

void Corpus::set_text(std::string const& train, std::optional<std::string> const& validation) {
  std::u32string text[2] = {parse_text(name_, train), {}};
  text[1] = validation ? parse_text(name_, *validation) : cut_off_tail(text[0]);
  symbols_ =
      required_.characters.empty() ? distinct(text[0] + text[1]) : distinct(parse_text(name_, required_.characters));
  if (!required_.characters.empty()) {
    if (characters() != required_.characters) {
      refuse_data(name_,
                  "is text, but the characters of the model are in no order that a text could have; train on tokens");
    }
    require_characters(text[0] + text[1]);
  }
  if (symbols_.size() > most_symbols)
    refuse_data(name_, "has more than 65536 distinct characters; tokenize it to a .bin file");
  vocabulary_ = required_.vocabulary != 0 ? required_.vocabulary : symbols_.size();
  require_vocabulary(symbols_.size());
  std::vector<std::uint16_t> token_of(std::size_t{symbols_.empty() ? 0 : symbols_.back()} + 1);
  for (std::size_t i = 0; i < symbols_.size(); ++i) token_of[symbols_[i]] = static_cast<std::uint16_t>(i);
  for (std::size_t split = 0; split < 2; ++split) {
    tokens_[split].reserve(text[split].size());
    for (char32_t const code : text[split]) tokens_[split].push_back(token_of[code]);
  }
  require_length();
}

Corpus Corpus::load(fs::path const& file, DataRequirements const& requirements,
                    std::optional<fs::path> const& validation) {
  Corpus corpus(validation ? file.string() + " and " + validation->string() : file.string(), requirements);
  std::string const train = read_file(file);
  corpus.add_bytes(train);
  std::optional<std::string> rest;
  if (validation) {
    rest = read_file(*validation);
    corpus.add_bytes(*rest);
  }
  corpus.set_text(train, rest);
  return corpus;
}

Corpus Corpus::of_standard_headers(DataRequirements const& requirements, std::string_view include_directories) {
  auto const folder = folder_of_headers(include_directories);
  if (!folder) throw DataError("no text: the headers of the C++ standard library were not found; give a text file");
  std::string text;
  for (auto const& file : headers_of(*folder)) {
    std::ifstream stream(file, std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
    bool const ascii = std::all_of(content.begin(), content.end(), [](char c) { return c > 0; });
    if (ascii && text.size() + content.size() <= most_header_bytes) text += content;
  }
  Corpus corpus("the C++ standard library headers in " + folder->string(), requirements);
  corpus.add_bytes(text);
  corpus.set_text(text, std::nullopt);
  return corpus;
}

std::vector<Token> Corpus::encode(std::string_view text) const {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < text.size();) {
    auto const character = zero::first_utf8(text.substr(at));
    auto const symbol =
        character ? std::lower_bound(symbols_.begin(), symbols_.end(), character->code) : symbols_.end();
    if (symbol == symbols_.end() || *symbol != character->code) {
      refuse_data(name_, "has no character like the one at byte " + std::to_string(at) +
                             " of the text to encode; leave it out");
    }
    tokens.push_back(static_cast<Token>(symbol - symbols_.begin()));
    at += character->bytes;
  }
  return tokens;
}

std::string Corpus::characters() const {
  std::string text;
  for (char32_t const code : symbols_) zero::append_utf8(text, code);
  return text;
}

std::string Corpus::decode(std::span<Token const> tokens) const {
  std::string text;
  for (auto const token : tokens) {  // a vocabulary may be larger than the text's
    zero::append_utf8(text, token < symbols_.size() ? symbols_[token] : U'\uFFFD');
  }
  return text;
}

}  // namespace gpt2
