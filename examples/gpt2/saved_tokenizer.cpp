// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "saved_tokenizer.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "text/characters.hpp"

#include <zero/error.hpp>
#include <zero/utility/fingerprint.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

namespace gpt2 {
namespace {

namespace fs = std::filesystem;
using command_line::refuse_data;
using zero::Json;

constexpr char const* tokenizer_file = "tokenizer.json";
constexpr char const* settings_file = "tokenizer_config.json";

bool is_file(fs::path const& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

std::string read_text(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) refuse_data(path, "cannot be read; check its permissions");
  return text;
}

Json parse(fs::path const& path, std::string const& text) {
  try {
    return command_line::parse_json(text, 32);
  } catch (zero::Error const&) {
    refuse_data(path, "is no JSON: it is damaged or cut off; copy it again");
  }
}

std::optional<std::uint64_t> number_of(Json const& json, std::initializer_list<std::string_view> names) {
  auto const* const member = command_line::find_member(json, names);
  auto const* const number = member == nullptr ? nullptr : member->get<std::uint64_t>();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

/// What `transformers` needs to read a tokenizer.json of any kind. Without the last member it would leave out spaces
/// before punctuation when it decodes.
std::string settings_of(std::size_t context, std::string const& begin, std::string const& end) {
  Json::Object settings{{"tokenizer_class", "PreTrainedTokenizerFast"}, {"model_max_length", std::uint64_t{context}}};
  if (!begin.empty()) settings.emplace_back("bos_token", begin);
  if (!end.empty()) settings.emplace_back("eos_token", end);
  settings.emplace_back("clean_up_tokenization_spaces", false);
  return zero::to_text(Json(std::move(settings))) + "\n";
}

struct SpecialToken {
  std::string text{};
  std::optional<std::uint64_t> id{};
};

/// The first of several names that is an added token.
SpecialToken special_token(Json const& tokenizer, std::initializer_list<std::string_view> names) {
  auto const* const member = tokenizer.find("added_tokens");
  auto const* const added = member == nullptr ? nullptr : member->get<Json::Array>();
  for (auto const name : names) {
    for (std::size_t i = 0; added != nullptr && i < added->size(); ++i) {
      if (command_line::has_text((*added)[i], {"content"}, name))
        return {std::string(name), number_of((*added)[i], {"id"})};
    }
  }
  return {};
}

/// One more than the highest id.
std::uint64_t tokens_of(Json const& tokenizer) {
  std::uint64_t tokens = 0;
  auto const count = [&](Json const& id) {
    if (auto const* const number = id.get<std::uint64_t>()) tokens = std::max(tokens, *number + 1);
  };
  auto const* const vocabulary = command_line::find_member(tokenizer, {"model", "vocab"});
  if (auto const* const members = vocabulary == nullptr ? nullptr : vocabulary->get<Json::Object>()) {
    for (auto const& [token, id] : *members) count(id);
  } else if (auto const* const list = vocabulary == nullptr ? nullptr : vocabulary->get<Json::Array>()) {
    tokens = list->size();  // of a unigram model
  }
  auto const* const added = tokenizer.find("added_tokens");
  if (auto const* const list = added == nullptr ? nullptr : added->get<Json::Array>()) {
    for (auto const& token : *list) {
      if (auto const* const id = token.find("id")) count(*id);
    }
  }
  return tokens;
}

void expect_to_fit(fs::path const& path, std::uint64_t tokens, std::size_t vocabulary) {
  if (tokens <= vocabulary) return;
  refuse_data(path, "has " + std::to_string(tokens) + " tokens, but the model's vocabulary is " +
                        std::to_string(vocabulary) +
                        ": put the tokenizer there that made the tokens, or move this one away");
}

std::string hexadecimal(std::uint64_t number) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(number));
  return text.data();
}

/// A folder of shards names its tokenizer, and which bytes it has; another folder's has its usual name.
fs::path file_of(fs::path const& folder) {
  fs::path const manifest = folder / "manifest.json";
  if (is_file(manifest)) {
    auto const json = parse(manifest, read_text(manifest));
    auto const* const member = command_line::find_member(json, {"tokenizer", "file"});
    auto const* const name = member == nullptr ? nullptr : member->get<std::string>();
    if (name != nullptr) {
      if (name->find('/') != std::string::npos || *name == "..")
        refuse_data(manifest, "names a tokenizer of another folder");
      if (!is_file(folder / *name)) refuse_data(folder / *name, "is not there, but " + manifest.string() + " names it");
      auto const* const hash = command_line::find_member(json, {"tokenizer", "hash"});
      auto const* const wanted = hash == nullptr ? nullptr : hash->get<std::string>();
      zero::Fingerprint fingerprint;
      fingerprint.add_text(read_text(folder / *name));
      if (wanted != nullptr && *wanted != hexadecimal(fingerprint.value())) {
        refuse_data(folder / *name,
                    "is not the tokenizer that made the shards: its hash is another than in the manifest");
      }
      return folder / *name;
    }
  }
  for (char const* const name : {tokenizer_file, "characters.json"}) {
    if (is_file(folder / name)) return folder / name;
  }
  return {};
}

/// Of a model's folder: which tokens begin and end a text, as its config.json says.
void take_ids(fs::path const& folder, SavedTokenizer& tokenizer) {
  fs::path const config = folder / "config.json";
  if (!is_file(config)) return;
  auto const json = parse(config, read_text(config));
  if (!tokenizer.begin) tokenizer.begin = number_of(json, {"bos_token_id"});
  if (!tokenizer.end) tokenizer.end = number_of(json, {"eos_token_id"});
}

/// Where the tokens lie: a folder, or that of a file or of a pattern.
fs::path folder_of(std::string const& data) {
  std::error_code ignored;
  if (fs::is_directory(data, ignored)) return data;
  fs::path const path(data);
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

}  // namespace

SavedTokenizer tokenizer_of_characters(std::string_view characters, std::size_t context) {
  Json::Object vocabulary;
  for (std::size_t at = 0; at < characters.size();) {
    auto const bytes = zero::first_utf8(characters.substr(at))->bytes;
    vocabulary.emplace_back(std::string(characters.substr(at, bytes)), std::uint64_t{vocabulary.size()});
    at += bytes;
  }
  Json const json(Json::Object{
      {"version", "1.0"},
      {"truncation", Json()},
      {"padding", Json()},
      {"added_tokens", Json::Array{}},
      {"normalizer", Json()},
      {"pre_tokenizer", Json::Object{{"type", "Split"},
                                     {"pattern", Json::Object{{"Regex", zero_text::each_character}}},
                                     {"behavior", "Isolated"},
                                     {"invert", false}}},
      {"post_processor", Json()},
      {"decoder", Json::Object{{"type", "Fuse"}}},
      // The name of an unknown token is no token: a character that the data lack is an error, and no other one.
      {"model", Json::Object{{"type", "WordLevel"}, {"vocab", std::move(vocabulary)}, {"unk_token", "<unk>"}}}});
  SavedTokenizer tokenizer{.origin = "the text", .of_characters = true};
  tokenizer.files[tokenizer_file] = zero::to_text(json) + "\n";
  tokenizer.files[settings_file] = settings_of(context, "", "");
  return tokenizer;
}

std::optional<std::string> characters_of_tokenizer(std::string_view json) {
  auto const codes = zero_text::characters_of_words(json);
  if (!codes) return std::nullopt;
  std::string characters;
  for (char32_t const code : *codes) zero::append_utf8(characters, code);
  return characters;
}

std::optional<SavedTokenizer> read_tokenizer(fs::path const& folder, std::size_t vocabulary, std::size_t context) {
  auto const file = file_of(folder);
  if (file.empty()) return std::nullopt;
  auto text = read_text(file);
  auto const json = parse(file, text);
  if (command_line::has_text(json, {"format"}, "zero-characters")) {
    auto const* const member = json.find("characters");
    auto const* const characters = member == nullptr ? nullptr : member->get<std::string>();
    if (characters == nullptr || characters->empty()) refuse_data(file, "names no characters");
    auto tokenizer = tokenizer_of_characters(*characters, context);
    auto const made = parse(file, tokenizer.files[tokenizer_file]);  // also where a character is there twice
    expect_to_fit(file, tokens_of(made), vocabulary);
    tokenizer.origin = file.string();
    tokenizer.of_characters = false;
    return tokenizer;
  }
  if (command_line::find_member(json, {"model"}) == nullptr)
    refuse_data(file, "has no model: it is no tokenizer of Hugging Face");
  expect_to_fit(file, tokens_of(json), vocabulary);
  auto const end = special_token(json, {"<|endoftext|>", "<|end_of_text|>", "</s>"});
  auto begin = special_token(json, {"<|begin_of_text|>", "<s>"});
  if (!begin.id && end.text == "<|endoftext|>") begin = end;  // GPT-2's is both
  SavedTokenizer tokenizer{.begin = begin.id, .end = end.id, .origin = file.string()};
  tokenizer.files[tokenizer_file] = std::move(text);
  for (auto const* const name : tokenizer_files) {
    if (name != std::string_view(tokenizer_file) && is_file(folder / name))
      tokenizer.files[name] = read_text(folder / name);
  }
  tokenizer.files.try_emplace(settings_file, settings_of(context, begin.text, end.text));
  take_ids(folder, tokenizer);
  return tokenizer;
}

SavedTokenizer find_tokenizer(std::string const& characters, std::vector<std::string> const& data,
                              std::optional<std::string> const& init_from, std::size_t vocabulary,
                              std::size_t context) {
  if (!characters.empty()) return tokenizer_of_characters(characters, context);
  std::optional<SavedTokenizer> found;
  for (auto const& place : data) {
    auto another = read_tokenizer(folder_of(place), vocabulary, context);
    if (found && another && found->files.at(tokenizer_file) != another->files.at(tokenizer_file)) {
      refuse_data(another->origin,
                  "is another tokenizer than " + found->origin + ": give data sets that have the same one");
    }
    if (!found) found = std::move(another);
  }
  if (!found && init_from) found = read_tokenizer(folder_of(*init_from), vocabulary, context);
  if (found) return *found;
  SavedTokenizer none;
  if (init_from) take_ids(folder_of(*init_from), none);
  return none;
}

std::string characters_beside(std::string const& model) {
  fs::path const file = folder_of(model) / tokenizer_file;
  return is_file(file) ? characters_of_tokenizer(read_text(file)).value_or("") : std::string();
}

}  // namespace gpt2
