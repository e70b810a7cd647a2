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

namespace gpt2_tokens_test {

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

TEST_CASE("gpt2 tokens: two files are training and validation whole") {
  Folder const folder;
  auto const text = Corpus::load(folder.write("t.txt", "aaaaaaaa"), {.context = 4}, folder.write("v.txt", "bbbbbb"));
  CHECK(text.vocabulary() == 2);
  CHECK(text.bytes() == 14);
  CHECK(text.tokens(Split::train).size() == 8);
  CHECK(text.tokens(Split::validation).size() == 6);
}

TEST_CASE("gpt2 tokens: files that cannot be trained on are named with what to do") {
  Folder const folder;
  CHECK(says(complaint(folder.path() / "none.txt"), "no such file"));
  CHECK(says(complaint(folder.path()), "is a folder"));
  CHECK(says(complaint(folder.write("empty.txt", "")), "is empty"));
  CHECK(says(complaint(folder.write("nul.txt", std::string("abc\0def", 7) + std::string(100, 'a'))),
             "not UTF-8 text (byte 3)"));
  CHECK(says(complaint(folder.write("latin.txt", "caf\xE9 " + std::string(100, 'a'))), "not UTF-8 text (byte 3)"));
  CHECK(says(complaint(folder.write("cut.txt", std::string(100, 'a') + "\xE2\x82")), "not UTF-8 text (byte 100)"));
  CHECK(says(complaint(folder.write("overlong.txt", "\xC0\x80" + std::string(100, 'a'))), "not UTF-8 text (byte 0)"));
  CHECK(says(complaint(folder.write("long.txt", "\xE0\x80\xAF" + std::string(100, 'a'))), "not UTF-8 text (byte 0)"));
  CHECK(says(complaint(folder.write("surrogate.txt", "\xED\xA0\x80" + std::string(100, 'a'))),
             "not UTF-8 text (byte 0)"));
}

TEST_CASE("gpt2 tokens: each split must hold a context and the token after it") {
  Folder const folder;
  CHECK(says(complaint(folder.write("a.txt", std::string(49, 'a'))), "4 tokens for validation"));
  CHECK(complaint(folder.write("b.txt", std::string(50, 'a'))) == "nothing");
  auto const rest = folder.write("v.txt", std::string(50, 'a'));
  CHECK_THROWS_AS(static_cast<void>(Corpus::load(folder.write("c.txt", "aaaa"), {.context = 4}, rest)),
                  gpt2::DataError);
}

TEST_CASE("gpt2 tokens: the vocabulary must cover every token") {
  Folder const folder;
  auto const text = folder.write("a.txt", std::string(60, 'a') + std::string(60, 'b'));
  CHECK(says(complaint(text, {.context = 4, .vocabulary = 1}), "at least 2, not 1"));
  CHECK(Corpus::load(text, {.context = 4, .vocabulary = 300}).vocabulary() == 300);
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

}  // namespace gpt2_tokens_test
