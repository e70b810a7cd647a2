// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <gpt2/random.hpp>
#include <gpt2/tokens.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using gpt2::Corpus;
using gpt2::Split;

// A folder of its own for every test, removed after it.
class Folder {
 public:
  Folder() {
    auto const now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
    path_ = fs::temp_directory_path() / ("zero_tokens_" + std::to_string(gpt2::CounterRandom(now).bits(0)));
    fs::create_directories(path_);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

  fs::path const& path() const { return path_; }
  fs::path write(std::string const& name, std::string const& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path_ / name;
  }

 private:
  fs::path path_;
};

std::string two_bytes(std::vector<unsigned> const& tokens) {
  std::string bytes;
  for (unsigned const token : tokens) {
    bytes.push_back(static_cast<char>(token & 0xFF));
    bytes.push_back(static_cast<char>(token >> 8));
  }
  return bytes;
}

std::string header(unsigned magic, unsigned version, unsigned count) {
  std::string bytes(1024, '\0');
  unsigned const fields[] = {magic, version, count};
  for (std::size_t i = 0; i < 12; ++i) bytes[i] = static_cast<char>(fields[i / 4] >> (8 * (i % 4)) & 0xFF);
  return bytes;
}

std::vector<unsigned> counting(unsigned count) {
  std::vector<unsigned> tokens(count);
  for (unsigned i = 0; i < count; ++i) tokens[i] = i * 3 % 50000;
  return tokens;
}

// What is said when \p file is loaded: one line that names the file.
std::string complaint(fs::path const& file, gpt2::DataRequirements const& requirements = {.context = 4}) {
  try {
    static_cast<void>(Corpus::load(file, requirements));
  } catch (gpt2::DataError const& error) {
    std::string const text = error.what();
    CHECK(text.find(file.string()) != std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
    return text;
  }
  return "nothing";
}

bool says(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

std::vector<std::uint16_t> copy(std::span<std::uint16_t const> tokens) { return {tokens.begin(), tokens.end()}; }

}  // namespace

TEST_CASE("gpt2 tokens: a text's vocabulary is its characters in order, and nine tenths are for training") {
  Folder const folder;
  auto const corpus = Corpus::load(folder.write("a.txt", "cab cab cab cab cab "), {.context = 1});
  CHECK(corpus.vocabulary() == 4);
  CHECK(corpus.bytes() == 20);
  CHECK(corpus.tokens(Split::train).size() == 18);
  CHECK(copy(corpus.tokens(Split::validation)) == std::vector<std::uint16_t>{2, 0});
  CHECK(copy(corpus.tokens(Split::train).first(4)) == std::vector<std::uint16_t>{3, 1, 2, 0});
  CHECK(corpus.encode("abc ") == std::vector<gpt2::Token>{1, 2, 3, 0});
  CHECK(corpus.decode(std::array<gpt2::Token, 3>{3, 1, 2}) == "cab");
  CHECK_THROWS_AS(static_cast<void>(corpus.encode("x")), gpt2::DataError);
}

TEST_CASE("gpt2 tokens: characters of several bytes are one token each") {
  Folder const folder;
  std::string text;
  for (int i = 0; i < 20; ++i) text += "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";  // a, e acute, euro, a smiling face
  auto const corpus = Corpus::load(folder.write("a.txt", text), {.context = 4});
  CHECK(corpus.vocabulary() == 4);
  CHECK(corpus.tokens(Split::train).size() == 72);
  CHECK(corpus.decode(corpus.encode("\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA9")) == "\xF0\x9F\x98\x80\xE2\x82\xAC\xC3\xA9");
}

TEST_CASE("gpt2 tokens: the hash is FNV-1a of the bytes") {
  Folder const folder;
  CHECK(Corpus::load(folder.write("a.txt", std::string(20, 'a')), {.context = 1}).hash() == [] {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (int i = 0; i < 20; ++i) hash = (hash ^ 'a') * 0x100000001B3ULL;
    return hash;
  }());
  CHECK(Corpus::load(folder.write("b.txt", std::string(20, 'b')), {.context = 1}).hash() !=
        Corpus::load(folder.write("a.txt", std::string(20, 'a')), {.context = 1}).hash());
}

TEST_CASE("gpt2 tokens: bare 16-bit files and those with llm.c's header hold the same tokens") {
  Folder const folder;
  auto const tokens = counting(100);
  auto const bare = Corpus::load(folder.write("a.bin", two_bytes(tokens)), {.context = 4});
  auto const headed = Corpus::load(folder.write("b.bin", header(20240520, 1, 100) + two_bytes(tokens)), {.context = 4});
  CHECK(bare.vocabulary() == 50257);
  CHECK(bare.tokens(Split::train).size() == 90);
  CHECK(bare.tokens(Split::train)[89] == 267);
  CHECK(copy(bare.tokens(Split::train)) == copy(headed.tokens(Split::train)));
  CHECK(copy(bare.tokens(Split::validation)) == copy(headed.tokens(Split::validation)));
  CHECK(bare.decode(std::array<gpt2::Token, 2>{7, 50256}) == "7 50256");
  CHECK_THROWS_AS(static_cast<void>(bare.encode("a")), gpt2::DataError);
}

TEST_CASE("gpt2 tokens: tokens of 32 bits without a header are refused, and those of 16 bits that look odd are not") {
  Folder const folder;
  auto const wide = [](std::vector<std::uint32_t> const& tokens) {
    std::string bytes;
    for (auto const token : tokens) {
      for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(token >> (8 * i)));
    }
    return bytes;
  };
  std::vector<std::uint32_t> small(100), large(100);
  for (std::uint32_t i = 0; i < 100; ++i) small[i] = 200 + i, large[i] = i % 3 == 0 ? 100000 + i : 1000 + i;
  CHECK(says(complaint(folder.write("small.bin", wide(small))), "tokens of 32 bits"));
  CHECK(says(complaint(folder.write("large.bin", wide(large))), "tokens of 32 bits"));
  CHECK(complaint(folder.write("zeros.bin", std::string(400, '\0'))) == "nothing");
  std::string bits;  // of a vocabulary of two
  for (int i = 0; i < 200; ++i) bits += std::string(1, static_cast<char>(i * i % 7 % 2)) + std::string(1, '\0');
  CHECK(complaint(folder.write("bits.bin", bits)) == "nothing");
}

TEST_CASE("gpt2 tokens: two files are training and validation whole") {
  Folder const folder;
  auto const train = folder.write("train.bin", two_bytes(counting(50))),
             rest = folder.write("val.bin", two_bytes(counting(20)));
  auto const corpus = Corpus::load(train, {.context = 4}, rest);
  CHECK(corpus.tokens(Split::train).size() == 50);
  CHECK(corpus.tokens(Split::validation).size() == 20);
  CHECK(corpus.bytes() == 140);
  CHECK_THROWS_AS(static_cast<void>(Corpus::load(train, {.context = 4}, folder.write("a.txt", "aaaaaaaaaaa"))),
                  gpt2::DataError);
  auto const text = Corpus::load(folder.write("t.txt", "aaaaaaaa"), {.context = 4}, folder.write("v.txt", "bbbbbbbb"));
  CHECK(text.vocabulary() == 2);
}

TEST_CASE("gpt2 tokens: files that cannot be trained on are named with what to do") {
  Folder const folder;
  CHECK(says(complaint(folder.path() / "none.txt"), "no such file"));
  CHECK(says(complaint(folder.path()), "is a folder"));
  CHECK(says(complaint(folder.write("empty.txt", "")), "is empty"));
  CHECK(says(complaint(folder.write("empty.bin", "")), "is empty"));
  CHECK(says(complaint(folder.write("nul.txt", std::string("abc\0def", 7) + std::string(100, 'a'))),
             "not UTF-8 text (byte 3)"));
  CHECK(says(complaint(folder.write("latin.txt", "caf\xE9 " + std::string(100, 'a'))), "not UTF-8 text (byte 3)"));
  CHECK(says(complaint(folder.write("cut.txt", std::string(100, 'a') + "\xE2\x82")), "not UTF-8 text (byte 100)"));
  CHECK(says(complaint(folder.write("overlong.txt", "\xC0\x80" + std::string(100, 'a'))), "not UTF-8 text (byte 0)"));
  CHECK(says(complaint(folder.write("long.txt", "\xE0\x80\xAF" + std::string(100, 'a'))), "not UTF-8 text (byte 0)"));
  CHECK(says(complaint(folder.write("surrogate.txt", "\xED\xA0\x80" + std::string(100, 'a'))),
             "not UTF-8 text (byte 0)"));
  CHECK(says(complaint(folder.write("odd.bin", std::string(101, '\1'))), "odd number of bytes"));
}

TEST_CASE("gpt2 tokens: each split must hold a context and the token after it") {
  Folder const folder;
  CHECK(says(complaint(folder.write("a.txt", std::string(49, 'a'))), "4 tokens for validation"));
  CHECK(complaint(folder.write("b.txt", std::string(50, 'a'))) == "nothing");
  auto const rest = folder.write("v.txt", std::string(50, 'a'));
  CHECK_THROWS_AS(static_cast<void>(Corpus::load(folder.write("c.txt", "aaaa"), {.context = 4}, rest)),
                  gpt2::DataError);
  CHECK(says(complaint(folder.write("h.bin", header(20240520, 1, 0))), "0 tokens for training"));
}

TEST_CASE("gpt2 tokens: the vocabulary must cover every token") {
  Folder const folder;
  auto const text = folder.write("a.txt", std::string(60, 'a') + std::string(60, 'b'));
  CHECK(says(complaint(text, {.context = 4, .vocabulary = 1}), "at least 2, not 1"));
  CHECK(Corpus::load(text, {.context = 4, .vocabulary = 300}).vocabulary() == 300);
  std::vector<unsigned> tokens(100, 5);
  tokens[97] = 60000;
  CHECK(says(complaint(folder.write("a.bin", two_bytes(tokens))), "at least 60001, not 50257"));
  CHECK(complaint(folder.write("a.bin", two_bytes(tokens)), {.context = 4, .vocabulary = 60001}) == "nothing");
}

TEST_CASE("gpt2 tokens: a header that does not fit its file is refused") {
  Folder const folder;
  auto const tokens = two_bytes(counting(100));
  CHECK(says(complaint(folder.write("a.bin", header(20240520, 1, 101) + tokens)), "101 tokens"));
  CHECK(says(complaint(folder.write("b.bin", header(20240520, 2, 100) + tokens)), "version 2"));
  CHECK(says(complaint(folder.write("c.bin", header(20240520, 1, 100).substr(0, 500))), "100 tokens"));
}

TEST_CASE("gpt2 tokens: a batch depends on its key alone, and targets follow their tokens") {
  Folder const folder;
  auto const corpus = Corpus::load(folder.write("a.bin", two_bytes(counting(5000))), {.context = 8});
  std::vector<gpt2::Token> tokens(32), targets(32), again(32), ignored(32);
  gpt2::BatchKey const key{.seed = 1, .step = 5, .micro_batch = 2};
  corpus.sample(Split::train, key, 8, tokens, targets);
  for (std::size_t i = 0; i < 32; ++i) {
    CHECK(targets[i] == tokens[i] + 3);
    if (i % 8 != 0) CHECK(tokens[i] == tokens[i - 1] + 3);
  }
  corpus.sample(Split::train, {1, 6, 2}, 8, again, ignored);
  CHECK(again != tokens);
  corpus.sample(Split::train, {1, 5, 3}, 8, again, ignored);
  CHECK(again != tokens);
  corpus.sample(Split::train, {2, 5, 2}, 8, again, ignored);
  CHECK(again != tokens);
  corpus.sample(Split::train, key, 8, again, ignored);
  CHECK(again == tokens);
  std::vector<gpt2::Token> first(16), first_targets(16);
  corpus.sample(Split::train, key, 8, first, first_targets);  // a smaller batch begins with the same sequences
  CHECK(std::equal(first.begin(), first.end(), tokens.begin()));
  corpus.sample(Split::validation, key, 8, again, ignored);
  for (auto const token : again) CHECK(token >= 4500 * 3);
}

TEST_CASE("gpt2 tokens: sampling reaches the first and the last sequence of a split") {
  Folder const folder;
  auto const corpus = Corpus::load(folder.write("a.bin", two_bytes(counting(60))), {.context = 4});
  std::vector<gpt2::Token> tokens(4000), targets(4000);
  corpus.sample(Split::validation, {1, 1, 1}, 4, tokens, targets);  // six tokens: two sequences
  CHECK(*std::min_element(tokens.begin(), tokens.end()) == 54 * 3);
  CHECK(*std::max_element(targets.begin(), targets.end()) == 59 * 3);
  CHECK_THROWS_AS(corpus.sample(Split::train, {1, 1, 1}, 5, tokens, targets), std::invalid_argument);
}

TEST_CASE("gpt2 tokens: without a file the compiler's own headers are text enough") {
  auto const corpus = Corpus::of_standard_headers({.context = 256});
  CHECK(corpus.bytes() > 500'000);
  CHECK(corpus.bytes() <= std::size_t{4} << 20);
  CHECK(corpus.vocabulary() > 80);
  CHECK(corpus.vocabulary() < 128);
  CHECK(corpus.hash() == Corpus::of_standard_headers({.context = 256}).hash());
  CHECK_THROWS_AS(static_cast<void>(Corpus::of_standard_headers({.context = 256}, "/nowhere||/also/nowhere")),
                  gpt2::DataError);
}
