// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "encoding.hpp"

#include "support/json_file.hpp"
#include "text/model.hpp"
#include "text/unicode.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/split_mix.hpp>

#include <algorithm>

namespace zero_tokenize {
namespace {

constexpr std::size_t most_depth = 64;

}  // namespace

Cut cut_of(zero_text::Tokenizer const& tokenizer) {
  auto const& content = tokenizer.content();
  if (content.kind == zero_text::TokenizerKind::characters) return Cut::at_characters;
  if (content.pattern == zero_text::Pattern::none || content.begins_with_space) return Cut::nowhere;
  for (auto const* const added : {&content.added, &content.normalized_added}) {
    for (auto const& token : added->all()) {
      if (token.strips_right || token.content.find_first_of(" \t\r\n") != std::string::npos) return Cut::nowhere;
    }
  }
  return Cut::at_words;
}

bool is_for_validation(std::uint64_t hash, double share) noexcept {
  return static_cast<double>(zero::SplitMix64::mix(hash) >> 11U) * 0x1p-53 < share;
}

std::string text_of_line(std::string_view line, std::string const& key, std::string const& path, std::uint64_t number) {
  auto const fail = [&](std::string const& problem) {
    throw DataError(path + ": line " + std::to_string(number) + " " + problem);
  };
  if (number == 1 && line.starts_with("\xEF\xBB\xBF")) fail("begins with a byte order mark; take its three bytes away");
  zero::Json value;
  try {
    value = command_line::parse_json(line, most_depth);
  } catch (zero::Error const& error) {
    auto const malformed = zero_text::first_malformed(line);
    if (malformed != line.size()) {
      fail("is not UTF-8: its byte " + std::to_string(malformed) + " begins no character; --replace puts U+FFFD there");
    }
    std::string const why = error.what();
    auto const at = why.find("byte ");
    fail("is no JSON (" + (at == std::string::npos ? why : why.substr(at)) + ")");
  }
  auto* const member = value.find(key) == nullptr ? nullptr : const_cast<zero::Json*>(value.find(key));
  if (member == nullptr) fail("has no \"" + key + "\"; name the key of the text with --json-key");
  auto* const text = member->get<std::string>();
  if (text == nullptr) fail("has a \"" + key + "\" that is no text");
  return std::move(*text);
}

void ChunkEncoder::encode(std::string_view text, Chunk const& chunk, std::size_t at,
                          std::vector<zero_text::TokenId>& out) {
  auto const& input = inputs_[chunk.begin.input];
  try {
    encoder_.encode(text,
                    {.recognize_special = options_.recognize_special,
                     .malformed = options_.replace ? zero_text::Malformed::replace : zero_text::Malformed::refuse},
                    out);
  } catch (zero_text::InvalidUtf8 const& error) {
    throw DataError(input.path + ": is not UTF-8: byte " + std::to_string(chunk.begin.offset + at + error.at()) +
                    " begins no character; --replace puts U+FFFD there");
  } catch (DataError const& error) {
    throw DataError(input.path + ": near byte " + std::to_string(chunk.begin.offset + at) + ": " + error.what());
  }
}

EncodedChunk ChunkEncoder::operator()(Chunk const& chunk) {
  EncodedChunk made;
  made.end = chunk.end;
  made.bytes = chunk.text.size();
  auto const& input = inputs_[chunk.begin.input];
  bool const is_part = !input.json_lines && options_.documents == Documents::file;
  each_text(chunk, input, options_, [&](std::string_view text, std::size_t at) {
    bool const validation =
        target_.goes_to_validation[chunk.begin.input] ||
        (!is_part && options_.validation > 0 && is_for_validation(zero::fingerprint_of(text), options_.validation));
    auto& out = validation ? made.validation : made.train;
    bool const begins = !is_part || !chunk.begin.within_document, ends = !is_part || chunk.ends_document;
    if (target_.place == Separator::before && begins) out.push_back(*target_.separator);
    encode(text, chunk, at, out);
    if (target_.place == Separator::after && ends) out.push_back(*target_.separator);
  });
  return made;
}

}  // namespace zero_tokenize
