// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Folders of shards as zero-tokenize leaves them: with a manifest and a tokenizer.
#include "files.hpp"

#include <zero/utility/fingerprint.hpp>
#include <gpt2/data/training_data.hpp>
#include <text/manifest.hpp>

#include <optional>

namespace gpt2_data_folder_test {

using namespace data_test;
using gpt2::Token;
using gpt2::TrainingData;

namespace {

constexpr std::size_t context = 8;

std::string const characters = R"({"format": "zero-characters", "version": 1, "characters": "abcd"})";
std::string const bpe =
    R"({"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                  "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
                  "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})";

/// Tokens below 4.
std::vector<std::uint32_t> few(std::uint32_t first, std::uint32_t count, std::uint32_t below = 4) {
  auto tokens = counting(first, count);
  for (auto& token : tokens) token %= below;
  return tokens;
}

/// Writes a folder of two shards for training and one for validation.
void prepare(Folder const& folder, std::string const& name, std::string const& tokenizer,
             std::uint64_t vocabulary = 4) {
  fs::create_directory(folder / name);
  zero_text::Manifest manifest{.vocabulary = vocabulary};
  bool const is_bpe = tokenizer == bpe;
  if (!tokenizer.empty()) {
    std::string const file = is_bpe ? "tokenizer.json" : "characters.json";
    folder.write(name + "/" + file, tokenizer);
    manifest.tokenizer = {file, is_bpe ? zero_text::TokenizerKind::bpe : zero_text::TokenizerKind::characters,
                          tokenizer.size(), zero::fingerprint_of(tokenizer)};
  }
  auto const add = [&](std::string const& file, bool validation, std::vector<std::uint32_t> const& tokens) {
    auto const content = gpt2_shard(tokens);
    folder.write(name + "/" + file, content);
    manifest.shards.push_back({file, validation, tokens.size(), content.size(), 0});
  };
  auto const below = static_cast<std::uint32_t>(std::min<std::uint64_t>(vocabulary, is_bpe ? 3 : 4));
  add("train_000000.bin", false, few(0, 100, below));
  add("train_000001.bin", false, few(1, 60, below));
  add("val_000000.bin", true, few(2, 50, below));
  folder.write(name + "/manifest.json", zero_text::to_json(manifest));
}

TrainingData open(std::string const& data, std::size_t vocabulary = 0) {
  return TrainingData::open({.data = data}, {.context = context, .vocabulary = vocabulary});
}
std::string refused(std::string const& data, std::size_t vocabulary = 0) {
  return complaint([&] { (void)open(data, vocabulary); });
}

}  // namespace

TEST_CASE("gpt2 data: a folder's manifest says its shards, their use and the vocabulary") {
  Folder const folder;
  prepare(folder, "a", characters);
  folder.write("a/other.bin", gpt2_shard(counting(0, 500)));  // of which the manifest knows nothing
  auto const data = open(folder / "a");
  CHECK(data.vocabulary() == 4);
  CHECK(data.train_tokens() == 160);
  CHECK(data.first_token() == 2);
  CHECK(data.decode(std::vector<Token>{3, 0, 1, 2}) == "dabc");
  CHECK(data.identity().characters == "abcd");
  CHECK(data.identity().tokenizer == 0);
  CHECK(says(refused(folder / "a", 3), "needs a vocabulary of at least 4, not 3"));
  CHECK(open(folder / "a", 100).vocabulary() == 100);
}

TEST_CASE("gpt2 data: samples of a folder with a byte-level BPE are text") {
  Folder const folder;
  prepare(folder, "a", bpe, 3);
  auto const data = open(folder / "a");
  CHECK(data.vocabulary() == 3);
  CHECK(data.decode(std::vector<Token>{2, 0, 1, 2}) == "ababab");
  CHECK(data.identity().tokenizer == zero::fingerprint_of(bpe));
  prepare(folder, "b", "");
  CHECK(open(folder / "b").decode(std::vector<Token>{2, 0}) == "2 0");
}

TEST_CASE("gpt2 data: a folder that is not what its manifest says is refused with one line") {
  Folder const folder;
  for (auto const* name : {"short", "gone", "tokenizer", "cut", "none", "bpe", "good"}) {
    prepare(folder, name, std::string(name) == "bpe" ? bpe : characters, std::string(name) == "bpe" ? 3 : 4);
  }
  folder.write("short/train_000001.bin", gpt2_shard(few(0, 59)));
  CHECK(says(refused(folder / "short"), "train_000001.bin: has 1142 bytes and 59 tokens, but the manifest"));
  fs::remove(folder / "gone/train_000001.bin");
  CHECK(says(refused(folder / "gone"), "train_000001.bin: no such file"));
  folder.write("tokenizer/characters.json", R"({"format": "zero-characters", "version": 1, "characters": "abdc"})");
  CHECK(says(refused(folder / "tokenizer"), "is not the tokenizer that made these shards"));
  folder.write("cut/manifest.json", "{\"format\": \"zero-tok");
  CHECK(says(refused(folder / "cut"), "manifest.json: is no JSON, or cut off"));
  CHECK(says(refused(folder / "good=1," + (folder / "bpe") + "=1"), "has another tokenizer than"));
  CHECK(open(folder / "good=1," + (folder / "none") + "=1").vocabulary() == 4);
}

TEST_CASE("gpt2 data: what tokens mean is part of what a data set is") {
  Folder const folder;
  prepare(folder, "a", characters);
  prepare(folder, "b", R"({"format": "zero-characters", "version": 1, "characters": "abxy"})");
  prepare(folder, "c", bpe, 3);
  prepare(folder, "d", "");
  auto const identity = [&](std::string const& name) {
    return gpt2::DataIdentity::parse(open(folder / name).identity().to_text());
  };
  CHECK_FALSE(identity("a").difference(identity("a")));
  CHECK_FALSE(identity("c").difference(identity("c")));
  CHECK(identity("a").difference(identity("b")).value_or("no") == "they had another tokenizer");
  CHECK(identity("a").speaks_otherwise(identity("b")));
  CHECK(identity("a").speaks_otherwise(identity("c")));
  CHECK_FALSE(identity("a").speaks_otherwise(identity("d")));
  CHECK_FALSE(identity("d").speaks_otherwise(identity("c")));
  CHECK_FALSE(identity("d").difference(identity("a")));
}

}  // namespace gpt2_data_folder_test
