// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "text/characters.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "text/unicode.hpp"

#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <cstdint>

namespace zero_text {
namespace {

constexpr std::string_view format = "zero-characters";

}  // namespace

std::optional<std::u32string> parse_characters(std::string_view text, std::string const& name) {
  using command_line::DataError;
  // A tokenizer.json has millions of bytes: it is read once, by its own reader.
  if (text.substr(0, 256).find(format) == std::string_view::npos) return std::nullopt;
  zero::Json root;
  try {
    root = command_line::parse_json(text);
  } catch (zero::Error const&) {
    throw DataError(name + ": is no JSON, or cut off");
  }
  auto const* const kind = root.find("format");
  auto const* const kind_name = kind == nullptr ? nullptr : kind->get<std::string>();
  if (kind_name == nullptr || *kind_name != format) return std::nullopt;
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

std::string characters_to_json(std::u32string_view characters) {
  std::string text;
  for (char32_t const code : characters) zero::append_utf8(text, code);
  std::string out = "{\"format\": \"" + std::string(format) + "\", \"version\": 1, \"characters\": ";
  zero::write_json_string(out, text);
  return out + "}\n";
}

}  // namespace zero_text
