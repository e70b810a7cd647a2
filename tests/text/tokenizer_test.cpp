// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// That ids are those of the tokenizers package is compare.py's to say. Here: what needs no other program.
#include "text/tokenizer.hpp"
#include "folder.hpp"
#include "text/bpe_trainer.hpp"
#include "text/characters.hpp"
#include "text/manifest.hpp"
#include "text/model.hpp"
#include "text/nanogpt_meta.hpp"
#include "text/unicode.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace text_tokenizer_test {

namespace {

using text_test::with;
using zero_text::DataError;
using zero_text::Pattern;
using zero_text::TokenId;
using zero_text::Tokenizer;

std::string trained_json(Pattern pattern, std::size_t size = 270) {
  zero_text::WordCounts counts(pattern);
  for (int i = 0; i < 50; ++i) counts.add("the cat sat on the mat, the other cat did not " + std::to_string(i) + "\n");
  return to_json(zero_text::train_bpe(counts, size, {"<|endoftext|>"}), pattern);
}

std::string error_of(std::string const& json) {
  try {
    static_cast<void>(Tokenizer::from_json(json, "file"));
  } catch (DataError const& error) {
    return error.what();
  }
  return "no error";
}

std::vector<std::string> words_of(std::string_view text, Pattern pattern) {
  zero_text::WordSplitter splitter(text, pattern);
  std::vector<std::string> words;
  for (auto word = splitter.next(); !word.empty(); word = splitter.next()) words.emplace_back(word);
  return words;
}

}  // namespace

TEST_CASE("tokenizer: a text comes back from its tokens") {
  for (auto const pattern : {Pattern::gpt2, Pattern::llama3, Pattern::qwen2}) {
    auto const tokenizer = Tokenizer::from_json(trained_json(pattern), "file");
    std::string const text("the cat's 1234 \xE2\x82\xAC \xF0\x9F\x98\x80\r\n\n  mats!\0 \x7F", 36);
    auto const tokens = tokenizer.encode(text);
    CHECK(tokenizer.decode(tokens) == text);
    CHECK(tokens.size() < text.size());
    CHECK(tokenizer.vocabulary() == 270);
    CHECK(tokenizer.end_of_text() == TokenId{0});
  }
}

TEST_CASE("tokenizer: words are those of each pattern") {
  using Words = std::vector<std::string>;
  CHECK(words_of("it's  12345\n\n x", Pattern::gpt2) == Words{"it", "'s", " ", " 12345", "\n\n", " x"});
  CHECK(words_of("it'S  12345\n\n x", Pattern::llama3) == Words{"it", "'S", " ", " ", "123", "45", "\n\n", " x"});
  CHECK(words_of("it'S  12\n\n x!\n", Pattern::qwen2) == Words{"it", "'S", " ", " ", "1", "2", "\n\n", " x", "!\n"});
  CHECK(words_of("a b", Pattern::none) == Words{"a b"});
}

TEST_CASE("tokenizer: a special token in a text is one, or text") {
  auto const tokenizer = Tokenizer::from_json(trained_json(Pattern::gpt2), "file");
  CHECK(tokenizer.encode("<|endoftext|>") == std::vector<TokenId>{0});
  auto const as_text = tokenizer.encode("<|endoftext|>", {.recognize_special = false});
  CHECK(as_text.size() > 1);
  CHECK(tokenizer.decode(as_text) == "<|endoftext|>");
  CHECK(tokenizer.decode(std::vector<TokenId>{0, tokenizer.id_of("t").value()}, true) == "t");
}

TEST_CASE("tokenizer: bytes that are no UTF-8 are named, or replaced") {
  auto const tokenizer = Tokenizer::from_json(trained_json(Pattern::gpt2), "file");
  std::string const text = "good text \xE2\x82 and \xFF";
  CHECK_THROWS_WITH_AS(static_cast<void>(tokenizer.encode(text)), "the text is not UTF-8: byte 10 begins no character",
                       zero_text::InvalidUtf8);
  CHECK(tokenizer.decode(tokenizer.encode(text, {.malformed = zero_text::Malformed::replace})) ==
        "good text \xEF\xBF\xBD and \xEF\xBF\xBD");
  std::vector<TokenId> kept{7};
  zero_text::Encoder encoder(tokenizer);
  CHECK_THROWS_AS(encoder.encode(text, {}, kept), zero_text::InvalidUtf8);
  CHECK(kept == std::vector<TokenId>{7});
}

TEST_CASE("tokenizer: a stream gives whole characters") {
  auto const tokenizer = Tokenizer::from_json(trained_json(Pattern::gpt2), "file");
  zero_text::StreamDecoder stream(tokenizer);
  std::vector<std::string> pieces;
  for (auto const token : tokenizer.encode("a\xF0\x9F\x98\x80z")) pieces.push_back(stream.push(token));
  CHECK(pieces == std::vector<std::string>{"a", "", "", "", "\xF0\x9F\x98\x80", "z"});
  CHECK(stream.finish().empty());
  CHECK(stream.push(tokenizer.encode("\xF0\x9F\x98\x80")[0]).empty());
  CHECK(stream.finish() == "\xEF\xBF\xBD");
}

TEST_CASE("tokenizer: a million of one character takes no time that grows with its square") {
  for (auto const* const piece : {"a", " ", "\n", "\xCC\x81"}) {
    std::string text;
    for (int i = 0; i < 1000000; ++i) text += piece;
    zero_text::WordCounts counts(Pattern::gpt2);
    counts.add(text);
    auto const trained = zero_text::train_bpe(counts, 268, {"<|endoftext|>"});  // which has merges of the run
    auto const tokenizer = Tokenizer::from_json(to_json(trained, Pattern::gpt2), "file");
    CHECK(tokenizer.decode(tokenizer.encode(text)) == text);  // hours, were it otherwise
  }
}

TEST_CASE("tokenizer: vocab.json and merges.txt are the same tokenizer") {
  auto const json = trained_json(Pattern::gpt2);
  auto const vocabulary_at = json.find("\"vocab\":") + 8, merges_at = json.find(",\"merges\":");
  std::string const vocabulary = json.substr(vocabulary_at, merges_at - vocabulary_at);
  std::string merges = "#version: 0.2\n";
  bool inside = false;
  for (char const c : json.substr(merges_at + 11, json.size() - merges_at - 15)) {  // [["a","b"],...]
    if (c == '[') inside = true;
    if (c == ']') merges += '\n', inside = false;
    if (inside && c != '[' && c != '"') merges += c == ',' ? ' ' : c;
  }
  auto const whole = Tokenizer::from_json(json, "file"),
             parts = Tokenizer::from_vocabulary(vocabulary, merges, "files"),
             made = Tokenizer::from_json(zero_text::to_tokenizer_json(vocabulary, merges, "files"), "made");
  std::string const text = "the cat did not sit<|endoftext|>on 12 mats";
  CHECK(whole.encode(text) == parts.encode(text));
  CHECK(whole.encode(text) == made.encode(text));
}

TEST_CASE("tokenizer: what is not computed is refused by its name") {
  std::string const json = trained_json(Pattern::llama3);
  REQUIRE(error_of(json) == "no error");
  struct Case {
    std::string_view from, to, error;
  };
  for (auto const& each : {
           Case{"\"truncation\":null", R"("truncation":{"max_length":8})", "\"truncation\" cuts texts off"},
           {"\"padding\":null", R"("padding":{"length":8})", "\"padding\" puts tokens behind"},
           {"\"normalizer\":null", R"("normalizer":{"type":"Lowercase"})", "the normalizer \"Lowercase\" is not"},
           {"\"type\":\"BPE\"", "\"type\":\"Unigram\"", "the model \"Unigram\" is not computed"},
           {"\"dropout\":null", "\"dropout\":0.1", "\"dropout\" of the model"},
           {"\"byte_fallback\":false", "\"byte_fallback\":true", "\"byte_fallback\""},
           {"\"end_of_word_suffix\":null", "\"end_of_word_suffix\":\"</w>\"", "\"end_of_word_suffix\""},
           {R"(\\p{N}{1,3})", R"(\\p{N}{1,2})", "regular expression"},
           {"\"behavior\":\"Isolated\"", "\"behavior\":\"Removed\"", "the behavior \"Removed\""},
           {"\"invert\":false", "\"invert\":true", "\"invert\""},
           {"\"type\":\"Split\"", "\"type\":\"Digits\"", "the pre-tokenizer \"Digits\""},
           {"\"single_word\":false", "\"single_word\":true", "\"single_word\""},
           {"\"decoder\":{\"type\":\"ByteLevel\"", "\"decoder\":{\"type\":\"Metaspace\"", "the decoder \"Metaspace\""},
           {"\"post_processor\":{\"type\":\"ByteLevel\"", "\"post_processor\":{\"type\":\"BertProcessing\"",
            "the post-processor \"BertProcessing\""},
           {"\"!\":1", "\"!\":2", "two tokens have the id 2"},
           {"\"!\":1", "\"!\":-1", "the id of \"!\""},
           {"\"!\":1", "\"!\":99999999", "the id of \"!\""},
           {"\"!\":1", "\"!\":9999999", "more gaps"},
           {"\"merges\":[[", "\"merges\":[[\"t\"],[", "merge 0 is no pair"},
           {"\"merges\":[[", "\"merges\":[[\"t\",\"zz\"],[", "merge 0 needs \"zz\""},
           {"\"merges\":[[", "\"merges\":[\"t\",[", "merge 0 is no pair"},
           {"\"id\":0,", "\"id\":5,", "has the id 5, and in the vocabulary 0"},
           {"\"added_tokens\":[", R"("added_tokens":[{"id":300,"content":"<x>"},)",
            "has the id 300, but is the token 270 to the tokenizers package"},
           {"\"added_tokens\":[", R"("added_tokens":[{"id":270,"content":"<x>"},{"id":270,"content":"<x>"},)", "270"},
           {"\"added_tokens\":[", R"("added_tokens":[{"id":0,"content":"<|endoftext|>"},)", "is there twice"},
       }) {
    auto const changed = with(json, each.from, each.to);
    CAPTURE(each.from);
    REQUIRE_FALSE(changed.empty());
    CHECK(error_of(changed).find(each.error) != std::string::npos);
    INFO(error_of(changed));
  }
  for (std::size_t size = 0; size < json.size() - 1; size += 97) {
    CHECK(error_of(json.substr(0, size)).starts_with("file: is "));
  }
}

TEST_CASE("tokenizer: a byte that has no token is an error, and never dropped") {
  auto const json = trained_json(Pattern::gpt2);
  auto const tokenizer = Tokenizer::from_json(with(json, "\"!\":1,", ""), "file");
  CHECK_THROWS_WITH_AS(
      static_cast<void>(tokenizer.encode("no!")),
      "the text has the byte 0x21, for which the vocabulary has no token; train one that has all bytes", DataError);
}

TEST_CASE("characters: tokens are places, and the file comes back") {
  std::u32string const characters = U"\n \"a\u00E9\u20AC\U0001F600";
  auto const tokenizer = Tokenizer::from_json(zero_text::characters_to_json(characters), "file");
  CHECK(tokenizer.kind() == zero_text::TokenizerKind::characters);
  CHECK(tokenizer.vocabulary() == 7);
  CHECK(tokenizer.encode("a\"\xE2\x82\xAC") == std::vector<TokenId>{3, 2, 5});
  CHECK(tokenizer.decode(std::vector<TokenId>{6, 0, 4}) == "\xF0\x9F\x98\x80\n\xC3\xA9");
  CHECK_THROWS_WITH_AS(static_cast<void>(tokenizer.encode("ab")),
                       "the text has the character U+0062 (byte 1), which the vocabulary does not have", DataError);
  CHECK(error_of(R"({"format": "zero-characters", "version": 1, "characters": "aa"})") ==
        "file: has a character twice");
  CHECK(error_of(R"({"format": "zero-characters", "version": 2, "characters": "a"})").find("version") !=
        std::string::npos);
  CHECK(error_of(R"({"format": "zero-characters", "version": 1})") == "file: has no characters");
}

TEST_CASE("characters: NFC composes, reorders and leaves alone") {
  CHECK(zero_text::to_nfc("e\xCC\x81") == "\xC3\xA9");
  CHECK(zero_text::to_nfc("q\xCC\x87\xCC\xA3") == "q\xCC\xA3\xCC\x87");                // marks by their classes
  CHECK(zero_text::to_nfc("\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB") == "\xED\x95\x9C");  // Hangul
  CHECK(zero_text::to_nfc("\xE2\x84\xA6") == "\xCE\xA9");                              // a singleton
  CHECK(zero_text::to_nfc("\xE0\xA5\x98") == "\xE0\xA4\x95\xE0\xA4\xBC");              // never composed
  CHECK_FALSE(zero_text::may_need_nfc("plain \xC3\xA9 \xE4\xB8\xAD"));
}

TEST_CASE("training: ties merge the pair of the lowest ids, and the threads' order of counting does not matter") {
  zero_text::WordCounts one(Pattern::gpt2), two(Pattern::gpt2), both(Pattern::gpt2);
  one.add("ab cd");
  two.add("cd ab");
  both.add("ab cd");
  both.add("cd ab");
  one.add(two);
  auto const first = to_json(zero_text::train_bpe(one, 261, {"<|endoftext|>"}), Pattern::gpt2);
  CHECK(first == to_json(zero_text::train_bpe(both, 261, {"<|endoftext|>"}), Pattern::gpt2));
  CHECK(first.find(R"("merges":[["a","b"],["c","d"],)") != std::string::npos);
}

TEST_CASE("manifest: what is written is read, and what is wrong is named") {
  zero_text::Manifest manifest;
  manifest.vocabulary = 300;
  manifest.separator = 0;
  manifest.tokenizer = zero_text::ManifestTokenizer{"tokenizer.json", zero_text::TokenizerKind::bpe, 12, 34};
  manifest.shards = {{"train_000000.bin", false, 10, 1044, 0xFEDCBA9876543210U}, {"val_000000.bin", true, 1, 1026, 7}};
  auto const text = to_json(manifest);
  auto const read = zero_text::parse_manifest(text, "file");
  CHECK(to_json(read) == text);
  CHECK(read.tokens(false) == 10);
  CHECK(read.tokens(true) == 1);
  auto const error_of_manifest = [](std::string const& changed) -> std::string {
    try {
      static_cast<void>(zero_text::parse_manifest(changed, "file"));
    } catch (DataError const& error) {
      return error.what();
    }
    return "no error";
  };
  struct Change {
    std::string_view from, to;
  };
  for (auto const& each : {Change{"zero-tokens", "other"},
                           {"\"version\": 1", "\"version\": 2"},
                           {"llm.c-uint16", "uint8"},
                           {"\"tokens\":10", "\"tokens\":11"},
                           {"\"tokens\":10", "\"tokens\":9223372036854775813"},
                           {"train_000000.bin", "../train.bin"},
                           {"train_000000.bin", ".."},
                           {"\"split\":\"train\"", "\"split\":\"test\""},
                           {"\"separator\": 0", "\"separator\": 300"},
                           {"\"vocabulary\": 300", "\"vocabulary\": 70000"},
                           {"\"vocabulary\": 300", "\"vocabulary\": 0"},
                           {"fedcba9876543210", "fedcba987654321"},
                           {"\"kind\":\"bpe\"", "\"kind\":\"words\""}}) {
    CAPTURE(each.to);
    auto const changed = with(text, each.from, each.to);
    REQUIRE_FALSE(changed.empty());
    CHECK(error_of_manifest(changed).starts_with("file: "));
  }
  for (std::size_t size = 0; size + 2 < text.size(); size += 31) {
    CHECK(error_of_manifest(text.substr(0, size)).starts_with("file: "));
  }
}

namespace {

// {'vocab_size': 2, 'itos': {0: 'a', 1: 'é'}, 'stoi': {'a': 0, 'é': 1}} of Python's pickle, protocol 4.
std::string const pickle(
    "\x80\x04\x95\x3f\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x0avocab_size\x94K\x02\x8c\x04itos\x94}\x94("
    "K\x00\x8c\x01"
    "a\x94K\x01\x8c\x02\xc3\xa9\x94u\x8c\x04stoi\x94}\x94(h\x04K\x00h\x05K\x01uu.",
    74);

}  // namespace

TEST_CASE("meta.pkl: its characters are read without a pickle being run") {
  CHECK(zero_text::read_nanogpt_meta(pickle, "meta.pkl") == U"a\u00E9");
  auto const error_of_pickle = [](std::string const& bytes) -> std::string {
    try {
      static_cast<void>(zero_text::read_nanogpt_meta(bytes, "meta.pkl"));
    } catch (DataError const& error) {
      return error.what();
    }
    return "no error";
  };
  for (std::size_t size = 0; size < pickle.size(); ++size) {
    CHECK(error_of_pickle(pickle.substr(0, size)).starts_with("meta.pkl: "));
  }
  CHECK(error_of_pickle("\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.") ==
        "meta.pkl: is no meta.pkl of characters: byte 16 is the pickle instruction 0x93, which is not run here");
  CHECK(error_of_pickle("cos\nsystem\n(S'true'\ntR.").find("0x63") != std::string::npos);
  CHECK(error_of_pickle(with(pickle, "K\x02", "K\x03")) ==
        "meta.pkl: its vocab_size is not the number of its characters");
  CHECK(error_of_pickle(with(pickle, "h\x05", "h\x04")) == "meta.pkl: its stoi and itos do not agree");
}

}  // namespace text_tokenizer_test
