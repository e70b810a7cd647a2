// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// zero-tokenize as its users meet it: a command line, an exit code, text on two streams and a folder.
#include "folder.hpp"
#include "run_command.hpp"
#include "text/manifest.hpp"
#include "text/tokenizer.hpp"

#include <zero/utility/fingerprint.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace text_zero_tokenize_test {

namespace {

namespace fs = std::filesystem;
using text_test::content_of;
using text_test::Folder;
using zero_test::Outcome;
using zero_text::TokenId;
using Tokens = std::vector<TokenId>;

Outcome run(std::string const& arguments) {
  return zero_test::run_command("'" ZERO_TOKENIZE "' 2>&1 < /dev/null " + arguments);
}

void require_done(std::string const& arguments) {
  auto const outcome = run(arguments);
  INFO(arguments << "\n" << outcome.output);
  REQUIRE(outcome.code == 0);
}

// The tokens of a split, read by nothing of the program's own; checks sizes, headers and hashes on the way.
Tokens tokens_of(fs::path const& folder, bool validation) {
  auto const manifest = zero_text::read_manifest(folder);
  Tokens tokens;
  for (auto const& shard : manifest.shards) {
    if (shard.validation != validation) continue;
    auto const content = content_of(folder / shard.file);
    REQUIRE(content.size() == shard.bytes);
    auto const at = header_bytes(manifest.encoding), size = token_bytes(manifest.encoding);
    auto const number = [&](std::size_t place, std::size_t bytes) {
      TokenId value = 0;
      for (std::size_t i = bytes; i-- != 0;) value = value << 8U | static_cast<unsigned char>(content[place + i]);
      return value;
    };
    if (at != 0) {
      CHECK(number(0, 4) == (size == 4 ? 20240801 : 20240520));
      CHECK(number(4, 4) == (size == 4 ? 7 : 1));
      CHECK(number(8, 4) == shard.tokens);
    }
    CHECK(zero::fingerprint_of(std::string_view(content).substr(at)) == shard.hash);
    for (auto place = at; place < content.size(); place += size) tokens.push_back(number(place, size));
    CHECK(tokens.back() < manifest.vocabulary);
  }
  return tokens;
}

zero_text::Tokenizer tokenizer_of(fs::path const& folder) {
  return zero_text::read_tokenizer(folder, zero_text::read_manifest(folder)).value();
}

std::string some_text(int paragraphs) {
  std::string text;
  for (int i = 0; i < paragraphs; ++i) {
    text += "Paragraph " + std::to_string(i) + " says: the fox's \xE2\x82\xAC" + std::to_string(i * i) + "!\n";
    text += "It has another line.\n\n";
  }
  return text;
}

bool same_files(fs::path const& a, fs::path const& b) {
  for (auto const& entry : fs::directory_iterator(a)) {
    if (content_of(entry.path()) != content_of(b / entry.path().filename())) return false;
  }
  return std::distance(fs::directory_iterator(a), {}) == std::distance(fs::directory_iterator(b), {});
}

}  // namespace

TEST_CASE("zero-tokenize: a text becomes shards that decode to it, whatever the number of threads") {
  Folder const folder;
  std::string const text = some_text(3000);
  folder.write("text.txt", text);
  for (auto const* const encoding : {"llm.c-uint16", "llm.c-uint32", "uint16"}) {
    for (auto const* const threads : {"1", "3"}) {
      require_done("--train-bpe 300 --save-every 8K --shard-tokens 5000 --output " +
                   folder.quote(encoding + std::string(threads)) + " --encoding " + encoding + " --threads " + threads +
                   " " + folder.quote("text.txt"));
    }
    CHECK(same_files(folder / (encoding + std::string("1")), folder / (encoding + std::string("3"))));
    auto const made = folder / (encoding + std::string("1"));
    auto const tokens = tokens_of(made, false);
    REQUIRE(tokens[0] == 0);  // <|endoftext|>, once
    auto const tokenizer = tokenizer_of(made);
    Tokens const rest(tokens.begin() + 1, tokens.end());
    CHECK(rest == tokenizer.encode(text));  // cut into chunks or not
    CHECK(tokenizer.decode(rest) == text);
    CHECK(zero_text::read_manifest(made).shards.size() > 3);
  }
}

TEST_CASE("zero-tokenize: documents go to a split by their own bytes, with a separator each") {
  Folder const folder;
  std::string const text = some_text(500);
  folder.write("text.txt", text);
  folder.write("reversed.txt", text.substr(text.find("Paragraph 250")) + text.substr(0, text.find("Paragraph 250")));
  std::string const options = "--train-bpe 300 --documents paragraph --validation 0.2 ";
  require_done(options + "--output " + folder.quote("a") + " " + folder.quote("text.txt"));
  require_done(options + "--output " + folder.quote("b") + " " + folder.quote("reversed.txt"));
  require_done(options + "--save-every 1K --output " + folder.quote("cut") + " " + folder.quote("text.txt"));
  CHECK(same_files(folder / "a", folder / "cut"));  // wherever chunks end
  require_done(options + "--separator after --output " + folder.quote("c") + " " + folder.quote("text.txt"));
  auto const train = tokens_of(folder / "a", false), validation = tokens_of(folder / "a", true);
  CHECK(train[0] == 0);
  auto const separators = std::count(validation.begin(), validation.end(), TokenId{0});
  CHECK(separators + std::count(train.begin(), train.end(), TokenId{0}) == 500);
  CHECK(separators > 50);
  CHECK(separators < 150);
  CHECK(tokens_of(folder / "b", true).size() == validation.size());
  auto after = tokens_of(folder / "c", true);
  CHECK(after.back() == 0);
  after.pop_back();
  after.insert(after.begin(), 0);
  CHECK(after == validation);
}

TEST_CASE("zero-tokenize: JSON Lines are documents, and a broken line is named") {
  Folder const folder;
  folder.write("good.jsonl",
               "{\"text\": \"one\\u20ac\", \"id\": 1}\n\n{\"id\": 2, \"text\": \"two\"}\r\n{\"text\":\"\"}\n");
  folder.write("other.txt", "{\"body\": \"x\"}\n");
  require_done("--train-bpe 257 --output " + folder.quote("out") + " " + folder.quote("good.jsonl"));
  auto const tokenizer = tokenizer_of(folder / "out");
  CHECK(tokenizer.decode(tokens_of(folder / "out", false)) ==
        "<|endoftext|>one\xE2\x82\xAC<|endoftext|>two<|endoftext|>");
  require_done("--train-bpe 257 --json-key body --output " + folder.quote("out2") + " " + folder.quote("other.txt"));
  for (auto const& [lines, error] : {std::pair{"{\"text\": \"a\"}\n{\"text\": \"b\"\n", "line 2 is no JSON"},
                                     {"{\"text\": \"a\"}\n\n{\"test\": \"b\"}\n",
                                      "line 3 has no \"text\"; name the key of the text with --json-key"},
                                     {"{\"text\": 5}\n", "line 1 has a \"text\" that is no text"},
                                     {"{\"text\": \"a\"}\n[1]\n", "line 2 has no \"text\""},
                                     {"{\"text\": \"\\ud800\"}\n", "line 1 is no JSON"}}) {
    folder.write("bad.jsonl", lines);
    auto const outcome = run("--characters --output " + folder.quote("bad") + " " + folder.quote("bad.jsonl"));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 4);
    CHECK(outcome.output.find(error) != std::string::npos);
    CHECK_FALSE(fs::exists(folder / "bad/manifest.json"));
  }
}

TEST_CASE("zero-tokenize: a vocabulary of characters is the trainer's") {
  Folder const folder;
  folder.write("text.txt", "b\xC3\xA9\xE2\x82\xAC a\n");
  folder.write("more.txt", "ab");
  require_done("--characters --output " + folder.quote("out") + " " + folder.quote("text.txt") +
               " --validation-input " + folder.quote("more.txt"));
  CHECK(tokens_of(folder / "out", false) == Tokens{3, 4, 5, 1, 2, 0});
  CHECK(tokens_of(folder / "out", true) == Tokens{2, 3});
  CHECK(tokenizer_of(folder / "out").kind() == zero_text::TokenizerKind::characters);
  folder.write("zero.txt", std::string_view("a\0b", 3));
  auto const outcome = run("--characters --output " + folder.quote("zero") + " " + folder.quote("zero.txt"));
  CHECK(outcome.code == 4);
  CHECK(outcome.output.find("is no text: byte 1 is 0") != std::string::npos);
}

TEST_CASE("zero-tokenize: bytes that are no UTF-8 are named by their place in the file, or replaced") {
  Folder const folder;
  folder.write("text.txt", some_text(300) + "bad \xFF byte\n");
  auto const place = std::to_string(some_text(300).size() + 4);
  for (std::string const vocabulary : {"--train-bpe 260", "--characters"}) {
    auto const outcome =
        run(vocabulary + " --save-every 1K --output " + folder.quote("out") + " " + folder.quote("text.txt"));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 4);
    CHECK(outcome.output.find("is not UTF-8: byte " + place + " begins no character; --replace") != std::string::npos);
    require_done(vocabulary + " --replace --output " + folder.quote("good " + vocabulary) + " " +
                 folder.quote("text.txt"));
    auto const made = folder / ("good " + vocabulary);
    auto const text = tokenizer_of(made).decode(tokens_of(made, false), true);
    CHECK(text == some_text(300) + "bad \xEF\xBF\xBD byte\n");
  }
}

TEST_CASE("zero-tokenize: nanoGPT's folder is taken with its characters") {
  Folder const folder;
  std::string const pickle(
      "\x80\x04\x95\x3f\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x0avocab_size\x94K\x02\x8c\x04itos\x94}\x94("
      "K\x00\x8c\x01"
      "a\x94K\x01\x8c\x02\xc3\xa9\x94u\x8c\x04stoi\x94}\x94(h\x04K\x00h\x05K\x01uu.",
      74);
  auto const command = [&](char const* out) {
    return "--nanogpt " + folder.quote("nano") + " --output " + folder.quote(out);
  };
  fs::create_directories(folder / "nano");
  folder.write("nano/train.bin", std::string_view("\0\0\1\0\1\0", 6));
  CHECK(run(command("out")).output.find("val.bin: no such file") != std::string::npos);
  folder.write("nano/val.bin", std::string_view("\1\0", 2));
  require_done(command("gpt2"));  // without meta.pkl the tokens are GPT-2's
  CHECK(zero_text::read_manifest(folder / "gpt2").vocabulary == 50257);
  CHECK_FALSE(zero_text::read_manifest(folder / "gpt2").tokenizer.has_value());
  folder.write("nano/meta.pkl", pickle);
  require_done(command("out"));
  CHECK(tokens_of(folder / "out", false) == Tokens{0, 1, 1});
  CHECK(tokens_of(folder / "out", true) == Tokens{1});
  CHECK(content_of(folder / "out/train_000000.bin") == content_of(folder / "nano/train.bin"));
  CHECK(tokenizer_of(folder / "out").decode(tokens_of(folder / "out", false)) == "a\xC3\xA9\xC3\xA9");
  for (auto const& [name, bytes, error] :
       {std::tuple{"nano/train.bin", std::string("\0\1\0", 3), "odd number of bytes"},
        {"nano/train.bin", std::string("\0\0\2\0", 4), "token 1 is 2, beyond the vocabulary of 2"},
        {"nano/meta.pkl",
         std::string("\x80\x04\x8c\x01"
                     "a\x93."),
         "instruction 0x93, which is not run here"},
        {"nano/val.bin", std::string(), "is empty"}}) {
    auto const good = content_of(folder / name);
    folder.write(name, bytes);
    auto const outcome = run(command("bad"));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 4);
    CHECK(outcome.output.find(error) != std::string::npos);
    folder.write(name, good);
    fs::remove_all(folder / "bad");
  }
}

TEST_CASE("zero-tokenize: a folder is gone on with, left alone or begun anew, and is nobody else's") {
  Folder const folder;
  folder.write("text.txt", some_text(50));
  std::string const bpe = "--train-bpe 260 --output " + folder.quote("out") + " ";
  require_done(bpe + folder.quote("text.txt"));
  auto const again = run(bpe + folder.quote("text.txt"));
  CHECK(again.code == 0);
  CHECK(again.output.starts_with("already complete: "));
  for (auto const* const other : {"--separator after ", "--replace ", "--encoding uint16 ", "--shard-tokens 9 "}) {
    auto const outcome = run(other + bpe + folder.quote("text.txt"));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 2);
    CHECK(outcome.output.find("was begun with another") != std::string::npos);
  }
  folder.write("text.txt", some_text(50) + "more");
  CHECK(run(bpe + folder.quote("text.txt")).output.find("another \"inputs\"") != std::string::npos);
  require_done(bpe + "--overwrite " + folder.quote("text.txt"));
  fs::resize_file(folder / "out/train_000000.bin", 1030);
  CHECK(run(bpe + folder.quote("text.txt")).output.find("is not the shard that was written") != std::string::npos);
  // Another is at work there, for which flock stands in.
  auto const locked = run("--version >/dev/null; flock " + folder.quote("out") + " '" ZERO_TOKENIZE "' " + bpe +
                          folder.quote("text.txt") + " 2>&1");
  CHECK(locked.output.find("another zero-tokenize is at work in this folder; wait for it") != std::string::npos);
  CHECK(locked.code == 2);
  fs::create_directories(folder / "mine");
  folder.write("mine/letter.txt", "dear");
  for (auto const* const overwrite : {"", "--overwrite "}) {
    auto const outcome = run("--characters " + std::string(overwrite) + "--output " + folder.quote("mine") + " " +
                             folder.quote("text.txt"));
    CHECK(outcome.code == 2);
    CHECK(outcome.output.find("has files that zero-tokenize has not made, such as letter.txt") != std::string::npos);
  }
  folder.write("mine2.txt", "");
  CHECK(run("--characters --output " + folder.quote("mine2.txt") + " " + folder.quote("text.txt")).code == 2);
}

TEST_CASE("zero-tokenize: JSON Lines that are not UTF-8 are replaced as in text") {
  Folder const folder;
  folder.write("bad.jsonl", "{\"text\": \"one\"}\n{\"text\": \"a\xFF\xE2\x82z\"}\n");
  for (std::string const vocabulary : {"--train-bpe 258", "--characters"}) {
    auto const to = vocabulary + " --separator none --output " + folder.quote("out " + vocabulary) + " ";
    auto const refused = run(to + folder.quote("bad.jsonl"));
    CAPTURE(refused.output);
    CHECK(refused.code == 4);
    CHECK(refused.output.find("line 2 is not UTF-8: its byte 11 begins no character; --replace") != std::string::npos);
    require_done("--replace " + to + folder.quote("bad.jsonl"));  // the command that was mended works
    auto const made = folder / ("out " + vocabulary);
    CHECK(tokenizer_of(made).decode(tokens_of(made, false)) == "onea\xEF\xBF\xBD\xEF\xBF\xBDz");
  }
  folder.write("marked.jsonl", "\xEF\xBB\xBF{\"text\": \"one\"}\n");
  auto const marked = run("--characters --output " + folder.quote("marked") + " " + folder.quote("marked.jsonl"));
  CHECK(marked.code == 4);
  CHECK(marked.output.find("line 1 begins with a byte order mark") != std::string::npos);
}

TEST_CASE("zero-tokenize: what was mended before a token was saved is begun anew, later only with --overwrite") {
  Folder const folder;
  folder.write("text.txt", some_text(50));
  require_done("--train-bpe 260 --tokenizer-only --output " + folder.quote("bpe") + " " + folder.quote("text.txt"));
  std::string lines;
  for (int i = 0; i < 200; ++i) lines += "{\"text\": \"document " + std::to_string(i) + "\"}\n";
  std::string const to = "--tokenizer " + folder.quote("bpe") + " --output " + folder.quote("out") + " ";
  for (std::string const often : {"", "--save-every 1K "}) {
    auto const command = often + to + folder.quote("d.jsonl");
    folder.write("d.jsonl", lines + "{\"text\": \n");
    auto const broken = run(command);
    CAPTURE(broken.output);
    CHECK(broken.code == 4);
    CHECK(broken.output.find("line 201 is no JSON") != std::string::npos);
    CHECK((broken.output.find("once this is mended, --overwrite begins anew") != std::string::npos) == !often.empty());
    folder.write("d.jsonl", lines + "{\"text\": \"mended\"}\n");
    auto const mended = run(command);
    CAPTURE(mended.output);
    CHECK(mended.code == (often.empty() ? 0 : 2));
    if (mended.code != 0) require_done("--overwrite " + command);
    CHECK(tokenizer_of(folder / "out").decode(tokens_of(folder / "out", false)).ends_with("mended"));
    fs::remove_all(folder / "out");
  }
}

TEST_CASE("zero-tokenize: shards whose manifest was lost are made again where that is asked for") {
  Folder const folder;
  folder.write("text.txt", some_text(50));
  std::string const command = "--train-bpe 260 --output " + folder.quote("out") + " " + folder.quote("text.txt");
  require_done(command);
  fs::remove(folder / "out/manifest.json");
  auto const refused = run(command);
  CAPTURE(refused.output);
  CHECK(refused.code == 2);
  CHECK(refused.output.find("has shards, such as train_000000.bin, but their manifest.json is missing") !=
        std::string::npos);
  require_done("--overwrite " + command);
  CHECK(fs::exists(folder / "out/manifest.json"));
  // Shards without a tokenizer may be of another program.
  fs::remove(folder / "out/manifest.json");
  fs::remove(folder / "out/tokenizer.json");
  auto const foreign = run("--overwrite " + command);
  CHECK(foreign.code == 2);
  CHECK(foreign.output.find("has files that zero-tokenize has not made, such as train_000000.bin") !=
        std::string::npos);
}

TEST_CASE("zero-tokenize: what is to be overwritten is there until nothing is refused, and its tokenizer may be read") {
  Folder const folder;
  folder.write("text.txt", some_text(50));
  folder.write("more.txt", some_text(60));
  folder.write("bad.txt", "a\xFF");
  std::string const to = "--output " + folder.quote("out") + " ";
  require_done("--train-bpe 260 " + to + folder.quote("text.txt"));
  fs::copy(folder / "out", folder / "before");
  for (std::string const& refused :
       {"--overwrite --train-bpe 260 " + to + folder.quote("bad.txt"),
        "--overwrite --train-bpe 100000 " + to + folder.quote("more.txt"),
        "--overwrite --tokenizer " + folder.quote("out") + " --separator-token none " + to + folder.quote("more.txt"),
        "--overwrite --nanogpt " + folder.quote("none") + " " + to}) {
    auto const outcome = run(refused);
    CAPTURE(outcome.output);
    CHECK(outcome.code != 0);
    CHECK(same_files(folder / "before", folder / "out"));
  }
  // Both read the tokenizer of the folder that they write.
  require_done("--overwrite --tokenizer " + folder.quote("out") + " " + to + folder.quote("more.txt"));
  CHECK(content_of(folder / "out/tokenizer.json") == content_of(folder / "before/tokenizer.json"));
  CHECK(tokenizer_of(folder / "out").decode(tokens_of(folder / "out", false)).ends_with(some_text(60)));
  require_done("--overwrite --train-bpe 260 --tokenizer-only " + to + folder.quote("text.txt"));
  CHECK_FALSE(fs::exists(folder / "out/train_000000.bin"));
  auto const broken = run("--tokenizer " + folder.quote("out") + " " + to + folder.quote("bad.txt"));
  CHECK(broken.code == 4);
  require_done("--tokenizer " + folder.quote("out") + " " + to + folder.quote("text.txt"));
  CHECK(content_of(folder / "out/tokenizer.json") == content_of(folder / "before/tokenizer.json"));
  // A vocabulary of another kind leaves nothing of the one before.
  require_done("--overwrite --characters " + to + folder.quote("text.txt"));
  CHECK_FALSE(fs::exists(folder / "out/tokenizer.json"));
}

TEST_CASE("zero-tokenize: a vocabulary or a file of somebody else in the folder is kept") {
  Folder const folder;
  folder.write("text.txt", some_text(50));
  require_done("--train-bpe 270 --tokenizer-only --output " + folder.quote("out") + " " + folder.quote("text.txt"));
  fs::copy(folder / "out", folder / "before");
  std::string const to = " --output " + folder.quote("out") + " " + folder.quote("text.txt");
  for (std::string const& other :
       {"--train-bpe 260" + to, "--characters" + to, "--train-bpe 260 --tokenizer-only" + to}) {
    auto const outcome = run(other);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 2);
    CHECK(outcome.output.find("has a tokenizer.json of another vocabulary") != std::string::npos);
    CHECK(same_files(folder / "before", folder / "out"));
  }
  require_done("--train-bpe 270" + to);  // the same vocabulary again
  folder.write("out/val_notes.bin", "mine");
  auto const foreign = run("--overwrite --characters" + to);
  CHECK(foreign.code == 2);
  CHECK(foreign.output.find("such as val_notes.bin") != std::string::npos);
  fs::remove(folder / "out/val_notes.bin");
  require_done("--overwrite --characters" + to);
  CHECK(fs::exists(folder / "out/characters.json"));
  CHECK_FALSE(fs::exists(folder / "out/tokenizer.json"));
}

TEST_CASE("zero-tokenize: GPT-2's two files make a tokenizer.json, and one that does not fit is refused") {
  Folder const folder;
  folder.write("text.txt", some_text(50));
  require_done("--train-bpe 300 --tokenizer-only --output " + folder.quote("bpe") + " " + folder.quote("text.txt"));
  CHECK_FALSE(fs::exists(folder / "bpe/manifest.json"));
  auto const json = content_of(folder / "bpe/tokenizer.json");
  std::string const use = " --output " + folder.quote("out") + " " + folder.quote("text.txt");
  require_done("--tokenizer " + folder.quote("bpe") + use);
  CHECK(content_of(folder / "out/tokenizer.json") == json);
  fs::remove_all(folder / "out");
  folder.write("cut.json", json.substr(0, json.size() / 2));
  folder.write("empty.json", "");
  struct Case {
    std::string vocabulary, error;
    int code;
  };
  for (auto const& each : {Case{"cut.json", "is no JSON, or cut off", 4},
                           {"empty.json", "is empty; give a tokenizer.json", 4},
                           {"none.json", "no such file; give a tokenizer.json", 4},
                           {".", "has no tokenizer.json, characters.json, or vocab.json with merges.txt", 4}}) {
    auto const outcome = run("--tokenizer " + folder.quote(each.vocabulary) + use);
    CAPTURE(outcome.output);
    CHECK(outcome.code == each.code);
    CHECK(outcome.output.find(each.error) != std::string::npos);
    CHECK_FALSE(fs::exists(folder / "out/manifest.json"));
  }
  std::string wide = json, more;  // the same, and more tokens than 16 bits hold
  for (int id = 300; id < 70000; ++id) {
    more += ",\"x";
    more += std::to_string(id);
    more += "\":";
    more += std::to_string(id);
  }
  wide.insert(wide.find("},\"merges\""), more);
  folder.write("wide.json", wide);
  auto const outcome = run("--encoding uint16 --tokenizer " + folder.quote("wide.json") + use);
  CHECK(outcome.code == 2);
  CHECK(outcome.output.find("the vocabulary has 70000 tokens, but 16 bits hold 65536") != std::string::npos);
  require_done("--tokenizer " + folder.quote("wide.json") + use);
  CHECK(zero_text::read_manifest(folder / "out").encoding == zero_text::ShardEncoding::llm_c_uint32);
}

TEST_CASE("zero-tokenize: command lines that cannot be run say what to write") {
  Folder const folder;
  folder.write("text.txt", "abc");
  folder.write("empty.txt", "");
  std::string const out = "--output " + folder.quote("out");
  struct Case {
    std::string arguments, error;  // OUT, and names of the folder's files in braces, stand for longer words
    int code;
  };
  for (auto const& each :
       {Case{"--characters {text.txt}", "--output: name the folder", 2},
        {"--characters OUT", "name the files with the text", 2},
        {"OUT {text.txt}", "give one of --tokenizer, --train-bpe and --characters", 2},
        {"--characters --train-bpe 300 OUT {text.txt}", "give one of", 2},
        {"--train-bpe 256 OUT {text.txt}", "a whole number from 257", 2},
        {"--train-bpe 5000 OUT {text.txt}", "the text has no more than 259 tokens", 4},
        {"--characters --validation 0.1 OUT {text.txt}", "the file is one document", 2},
        {"--characters --validation 1 OUT {text.txt}", "a number from 0 to 0.999", 2},
        {"--characters --separator before OUT {text.txt}", "has no token that parts documents", 2},
        {"--characters --separator-token x OUT {text.txt}", "has no such token", 2},
        {"--tokenizer /dev/null OUT {text.txt}", "zero-tokenize: /dev/null: ", 4},
        {"--train-bpe 257 --pattern gpt4 OUT {text.txt}", "expected gpt2|llama3|qwen2", 2},
        {"--characters --pattern gpt2 OUT {text.txt}", "only --train-bpe needs them", 2},
        {"--characters --encoding 16 OUT {text.txt}", "expected llm.c-uint16|llm.c-uint32|uint16", 2},
        {"--characters --save-every 10 OUT {text.txt}", "at least 1K", 2},
        {"--nanogpt x --characters OUT", "--characters: --nanogpt takes tokens", 2},
        {"--characters OUT {none.txt}", "no such file", 4},
        {"--characters OUT {empty.txt}", "is empty", 4},
        {"--characters OUT {.}", "is a folder", 4},
        {"--train-bpe 257 --tokenizer-only --validation 0.5 --documents line OUT {text.txt}", "", 0},
        {"--train-bpe 257 --validation 0.999 --documents line OUT {text.txt}", "no document is for training", 4}}) {
    CAPTURE(each.arguments);
    std::string arguments = each.arguments;
    if (auto const at = arguments.find("OUT"); at != std::string::npos) arguments.replace(at, 3, out);
    if (auto const at = arguments.find('{'); at != std::string::npos) {
      auto const end = arguments.find('}');
      arguments.replace(at, end + 1 - at, folder.quote(arguments.substr(at + 1, end - at - 1)));
    }
    auto const outcome = run(arguments);
    CAPTURE(outcome.output);
    CHECK(outcome.code == each.code);
    CHECK(outcome.output.find(each.error) != std::string::npos);
    CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
    CHECK_FALSE(fs::exists(folder / "out/manifest.json"));
  }
}

}  // namespace text_zero_tokenize_test
