// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/characters.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "text/unicode.hpp"

#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <cstdint>
#include <vector>

namespace zero_text {
namespace {

using command_line::has_text;
using zero::Json;

constexpr std::string_view characters_format = "zero-characters";

/// Words as they stand, one for each character, and put together as they are.
bool is_of_characters(Json const& json) {
  auto const* const normalizer = json.find("normalizer");
  auto const* const added = json.find("added_tokens");
  auto const* const list = added == nullptr ? nullptr : added->get<Json::Array>();
  return has_text(json, {"model", "type"}, "WordLevel") && has_text(json, {"pre_tokenizer", "type"}, "Split") &&
         has_text(json, {"pre_tokenizer", "pattern", "Regex"}, each_character) &&
         has_text(json, {"pre_tokenizer", "behavior"}, "Isolated") && has_text(json, {"decoder", "type"}, "Fuse") &&
         (normalizer == nullptr || normalizer->is_null()) && (list == nullptr || list->empty());
}

}  // namespace

std::optional<std::u32string> parse_characters(std::string_view text, std::string const& name) {
  using command_line::DataError;
  if (auto words = characters_of_words(text)) return words;
  // A tokenizer.json has millions of bytes: it is read once, by its own reader.
  if (text.substr(0, 256).find(characters_format) == std::string_view::npos) return std::nullopt;
  zero::Json root;
  try {
    root = command_line::parse_json(text);
  } catch (zero::Error const&) {
    throw DataError(name + ": is no JSON, or cut off");
  }
  auto const* const kind = root.find("format");
  auto const* const kind_name = kind == nullptr ? nullptr : kind->get<std::string>();
  if (kind_name == nullptr || *kind_name != characters_format) return std::nullopt;
  auto const* const version = root.find("version");
  auto const* const number = version == nullptr ? nullptr : version->get<std::uint64_t>();
  if (number == nullptr || *number != 1)
    throw DataError(name + ": is of a version other than 1, which is not read here");
  auto const* const member = root.find("characters");
  auto const* const characters = member == nullptr ? nullptr : member->get<std::string>();
  if (characters == nullptr || characters->empty()) throw DataError(name + ": has no characters");
  std::u32string codes;
  for (std::size_t at = 0; at < characters->size();) {
    auto const [code, bytes] = code_point_at(*characters, at);
    if (codes.find(code) != std::u32string::npos) throw DataError(name + ": has a character twice");
    codes += code;
    at += bytes;
  }
  return codes;
}

std::optional<std::u32string> characters_of_words(std::string_view text) {
  if (text.find("\"WordLevel\"") == std::string_view::npos) return std::nullopt;  // before millions of bytes are read
  Json json;
  try {
    json = command_line::parse_json(text);
  } catch (zero::Error const&) {
    return std::nullopt;
  }
  auto const* const member = command_line::find_member(json, {"model", "vocab"});
  auto const* const words = member == nullptr ? nullptr : member->get<Json::Object>();
  if (words == nullptr || words->empty() || !is_of_characters(json)) return std::nullopt;
  std::u32string codes(words->size(), U'\0');
  std::vector<bool> is_there(codes.size());
  for (auto const& [word, id] : *words) {
    auto const* const token = id.get<std::uint64_t>();
    auto const character = zero::first_utf8(word);
    bool const is_one = character && character->bytes == word.size();
    if (!is_one || token == nullptr || *token >= codes.size() || is_there[*token]) return std::nullopt;
    is_there[*token] = true;
    codes[*token] = character->code;
  }
  return codes;
}

std::string characters_to_json(std::u32string_view characters) {
  std::string text;
  for (char32_t const code : characters) zero::append_utf8(text, code);
  std::string out = "{\"format\": \"" + std::string(characters_format) + "\", \"version\": 1, \"characters\": ";
  zero::write_json_string(out, text);
  return out + "}\n";
}

}  // namespace zero_text
