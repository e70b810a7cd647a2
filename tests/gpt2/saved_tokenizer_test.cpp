// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"

#include <gpt2/saved_tokenizer.hpp>
#include <support/data_error.hpp>
#include <support/json_file.hpp>
#include <text/tokenizer.hpp>

#include <zero/utility/utf8.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace gpt2_saved_tokenizer_test {

namespace {

namespace fs = std::filesystem;
using checkpoint_test::TemporaryFolder;
using gpt2::characters_of_tokenizer;
using gpt2::find_tokenizer;
using gpt2::read_tokenizer;
using gpt2::tokenizer_of_characters;

constexpr char const* bpe =
    R"({"added_tokens":[{"id":3,"content":"<|endoftext|>","special":true}],"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}})";

void write(std::string const& path, std::string const& text) { std::ofstream(path, std::ios::binary) << text; }

std::string replaced(std::string text, std::string const& old, std::string const& now) {
  auto const at = text.find(old);
  REQUIRE(at != std::string::npos);
  return text.replace(at, old.size(), now);
}

/// What reading \p folder is refused with.
std::string refusal(std::string const& folder, std::size_t vocabulary = 100) {
  try {
    (void)read_tokenizer(folder, vocabulary, 8);
  } catch (command_line::DataError const& error) {
    return error.what();
  }
  return {};
}

bool says(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("saved tokenizer: characters come back in their order, all of those that a text may have") {
  std::string all;
  for (char32_t code = 1; code < 0x3000; ++code) zero::append_utf8(all, code);
  for (char32_t const code : {0xE000U, 0xFEFFU, 0xFFFFU, 0x1F600U, 0x10FFFFU}) zero::append_utf8(all, code);
  for (std::string const& characters : {std::string("a"), std::string("ba \n\"\\"), all}) {
    auto const tokenizer = tokenizer_of_characters(characters, 8);
    CHECK(tokenizer.of_characters);
    CHECK_FALSE(tokenizer.end.has_value());
    CHECK(characters_of_tokenizer(tokenizer.files.at("tokenizer.json")) == characters);
  }
}

TEST_CASE("saved tokenizer: what is no vocabulary of characters gives none") {
  auto const ours = tokenizer_of_characters("ab", 8).files.at("tokenizer.json");
  REQUIRE(characters_of_tokenizer(ours) == "ab");
  for (auto const& change : std::vector<std::pair<std::string, std::string>>{
           {"{", "["},
           {"WordLevel", "BPE"},
           {"\"a\":0", "\"ac\":0"},
           {"\"a\":0", "\"a\":1"},
           {"\"a\":0", "\"a\":2"},
           {"\"a\":0", "\"a\":\"0\""},
           {"Isolated", "Removed"},
           {"Fuse", "Strip"},
           {"Regex\":\"[", "Regex\":\"x["},
           {"\"normalizer\":null", "\"normalizer\":{\"type\":\"Lowercase\"}"},
           {"\"added_tokens\":[]", "\"added_tokens\":[{\"id\":2,\"content\":\"x\"}]"}}) {
    CAPTURE(change.second);
    CHECK_FALSE(characters_of_tokenizer(replaced(ours, change.first, change.second)).has_value());
  }
  CHECK_FALSE(characters_of_tokenizer(bpe).has_value());
}

TEST_CASE("saved tokenizer: a folder's is taken as it is, with what begins and ends a text") {
  TemporaryFolder const folder;
  CHECK_FALSE(read_tokenizer(folder.path(), 4, 8).has_value());
  write(folder / "tokenizer.json", bpe);
  auto const plain = *read_tokenizer(folder.path(), 4, 8);
  CHECK(plain.files.at("tokenizer.json") == bpe);
  CHECK(plain.begin == 3);
  CHECK(plain.end == 3);
  auto const settings = command_line::parse_json(plain.files.at("tokenizer_config.json"));
  CHECK(*settings.find("eos_token")->get<std::string>() == "<|endoftext|>");
  CHECK(*settings.find("model_max_length")->get<std::uint64_t>() == 8);

  write(folder / "tokenizer.json", replaced(bpe, "<|endoftext|>", "<|begin_of_text|>"));
  auto const other = *read_tokenizer(folder.path(), 4, 8);
  CHECK(other.begin == 3);
  CHECK_FALSE(other.end.has_value());

  write(folder / "tokenizer_config.json", "{\"mine\":1}");
  write(folder / "merges.txt", "a b\n");
  write(folder / "config.json", R"({"eos_token_id":2,"bos_token_id":1})");
  auto const whole = *read_tokenizer(folder.path(), 4, 8);
  CHECK(whole.files.at("tokenizer_config.json") == "{\"mine\":1}");
  CHECK(whole.files.at("merges.txt") == "a b\n");
  CHECK(whole.begin == 3);  // the tokenizer's own word
  CHECK(whole.end == 2);
}

TEST_CASE("saved tokenizer: a manifest names it, and which bytes it has") {
  TemporaryFolder const folder;
  write(folder / "other.json", bpe);
  // FNV-1a of these bytes, by another program.
  std::string const manifest =
      R"({"format":"zero-tokens","tokenizer":{"file":"other.json","hash":"c202eb4e68e78137"}})";
  write(folder / "manifest.json", manifest);
  CHECK(read_tokenizer(folder.path(), 4, 8)->files.at("tokenizer.json") == bpe);
  write(folder / "other.json", replaced(bpe, "a b", "b a"));
  CHECK(says(refusal(folder.path()), "other.json: is not the tokenizer that made the shards"));
  fs::remove(folder / "other.json");
  CHECK(says(refusal(folder.path()), "other.json: is not there, but"));
  write(folder / "manifest.json", replaced(manifest, "other.json", "../other.json"));
  CHECK(says(refusal(folder.path()), "names a tokenizer of another folder"));
  write(folder / "manifest.json", R"({"tokenizer":null})");
  CHECK_FALSE(read_tokenizer(folder.path(), 4, 8).has_value());
  write(folder / "manifest.json", "{");
  CHECK(says(refusal(folder.path()), "manifest.json: is no JSON: it is damaged or cut off"));
}

TEST_CASE("saved tokenizer: characters of a folder of shards become one that transformers reads") {
  TemporaryFolder const folder;
  write(folder / "characters.json", R"({"format":"zero-characters","version":1,"characters":"\n ab"})");
  auto const tokenizer = *read_tokenizer(folder.path(), 4, 8);
  CHECK(characters_of_tokenizer(tokenizer.files.at("tokenizer.json")) == "\n ab");
  CHECK(says(refusal(folder.path(), 3), "has 4 tokens, but the model's vocabulary is 3"));
  write(folder / "characters.json", R"({"format":"zero-characters","version":1})");
  CHECK(says(refusal(folder.path()), "characters.json: names no characters"));
}

TEST_CASE("saved tokenizer: one that is damaged or of another vocabulary is refused in a line") {
  TemporaryFolder const folder;
  for (auto const& made :
       std::vector<std::pair<std::string, std::string>>{{"", "is no JSON"},
                                                        {std::string(bpe).substr(0, 50), "is no JSON"},
                                                        {"{}", "has no model"},
                                                        {"[1]", "has no model"}}) {
    write(folder / "tokenizer.json", made.first);
    CAPTURE(made.first);
    CHECK(says(refusal(folder.path()), "tokenizer.json: " + made.second));
    CHECK_FALSE(says(refusal(folder.path()), "\n"));
  }
  write(folder / "tokenizer.json", bpe);
  CHECK(refusal(folder.path(), 4).empty());
  CHECK(says(refusal(folder.path(), 3), "has 4 tokens, but the model's vocabulary is 3"));
}

TEST_CASE("saved tokenizer: text has its own, tokens that beside them, and a model's is the last choice") {
  TemporaryFolder const folder;
  fs::create_directory(folder / "data");
  fs::create_directory(folder / "model");
  auto const data = folder / "data/train.bin", model = folder / "model/model.safetensors";
  write(data, "xx");
  CHECK_FALSE(find_tokenizer("", {data}, std::nullopt, 4, 8).is_there());
  CHECK_FALSE(find_tokenizer("", {data}, model, 4, 8).is_there());
  write(folder / "model/config.json", R"({"eos_token_id":2})");
  CHECK(find_tokenizer("", {data}, model, 4, 8).end == 2);
  write(folder / "model/tokenizer.json", replaced(bpe, "a b", "b a"));
  CHECK(find_tokenizer("", {data}, model, 4, 8).origin == folder / "model/tokenizer.json");
  CHECK(find_tokenizer("", {data}, folder / "model", 4, 8).origin == folder / "model/tokenizer.json");
  write(folder / "data/tokenizer.json", bpe);
  for (auto const& place : {data, folder / "data", folder / "data/*.bin"}) {
    CHECK(find_tokenizer("", {place}, model, 4, 8).origin == folder / "data/tokenizer.json");
  }
  CHECK(find_tokenizer("ab", {data}, model, 4, 8).of_characters);
  CHECK_FALSE(find_tokenizer("", {}, std::nullopt, 4, 8).is_there());
  // Of several data sets, those that have one have the same.
  fs::create_directory(folder / "bare");
  fs::create_directory(folder / "same");
  fs::create_directory(folder / "other");
  write(folder / "same/tokenizer.json", bpe);
  write(folder / "other/tokenizer.json", replaced(bpe, "a b", "b a"));
  CHECK(find_tokenizer("", {folder / "bare", data, folder / "same"}, model, 4, 8).origin ==
        folder / "data/tokenizer.json");
  CHECK_THROWS_WITH_AS(
      (void)find_tokenizer("", {data, folder / "other"}, model, 4, 8),
      doctest::Contains((folder / "other/tokenizer.json: is another tokenizer than " + (folder / "data")).c_str()),
      command_line::DataError);
}

TEST_CASE("saved tokenizer: programs that read tokenizers know one of characters") {
  TemporaryFolder const folder;
  write(folder / "tokenizer.json", tokenizer_of_characters("\n ab\xC3\xA9", 8).files.at("tokenizer.json"));
  auto const tokenizer = zero_text::Tokenizer::load(folder.path());
  CHECK(tokenizer.kind() == zero_text::TokenizerKind::characters);
  CHECK(tokenizer.encode("b\n\xC3\xA9") == std::vector<zero_text::TokenId>{3, 0, 4});
  CHECK(gpt2::characters_beside(folder.path()) == "\n ab\xC3\xA9");
  CHECK(gpt2::characters_beside(folder / "model.safetensors") == "\n ab\xC3\xA9");
  write(folder / "tokenizer.json", bpe);
  CHECK(gpt2::characters_beside(folder.path()).empty());
}

}  // namespace gpt2_saved_tokenizer_test
