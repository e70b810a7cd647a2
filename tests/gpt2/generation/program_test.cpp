// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "trainer/program.hpp"

#include <zero/utility/fingerprint.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace gpt2_generation_program_test {

using trainer_test::Folder;
using trainer_test::Outcome;
using trainer_test::fs::path;
namespace fs = std::filesystem;

namespace {

/// A model that has learned a little, its data and what the trainer has sampled of it.
struct Trained {
  Folder folder;
  std::string sample;

  explicit Trained(std::string const& arguments) {
    auto const outcome = trainer_test::run("--data " + folder.quote("text.txt") + trainer_test::tiny +
                                           "--iterations 40 --eval-interval 40 --sample 30 --checkpoint-dir " +
                                           folder.quote("run") + " --save-hf " + folder.quote("hf") + " " + arguments);
    INFO(outcome.output);
    REQUIRE(outcome.code == 0);
    auto const begin = outcome.output.find("\nsample:\n"), end = outcome.output.find("\n\nwhere memory went");
    REQUIRE(end != std::string::npos);
    sample = outcome.output.substr(begin + 9, end - begin - 9);
  }
};

Trained const& trained() {
  static Trained const made("--stage 3 --micro-batches 4 --ranks 3");
  return made;
}

Outcome generate(std::string const& arguments, bool with_errors = false) {
  return zero_test::run_command("'" GENERATE_GPT2 "' " + arguments + (with_errors ? " 2>&1" : " 2>/dev/null") +
                                " < /dev/null");
}

/// Standard output of a run that must succeed.
std::string text_of(std::string const& arguments) {
  auto const outcome = generate(arguments);
  CAPTURE(arguments);
  REQUIRE(outcome.code == 0);
  return outcome.output;
}

std::string quoted(std::string const& text) { return "'" + text + "'"; }

void check_refused(std::string const& arguments, std::string const& reason, int code) {
  auto const outcome = generate(arguments, true);
  CAPTURE(arguments);
  CAPTURE(outcome.output);
  CHECK(outcome.code == code);
  CHECK(outcome.output.find(reason) != std::string::npos);
  CHECK(outcome.output.rfind("generate_gpt2: ", 0) == 0);
  CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
}

void write(path const& file, std::string const& text) { std::ofstream(file, std::ios::binary) << text; }

std::vector<std::string> lines_of(std::string const& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string model() { return "--model " + trained().folder.quote("run") + " "; }

}  // namespace

TEST_CASE("generate_gpt2: from a checkpoint of any stage and ranks, the text that the trainer has sampled") {
  for (std::string const precision : {"fp32", "bf16", "fp16"}) {
    Trained const run("--ranks 2 --stage 2 --precision " + precision);
    for (std::string const from : {"run", "run/latest", "run/step-40"}) {
      auto const prompt = quoted(run.sample.substr(0, 1));
      CHECK(text_of("--model " + run.folder.quote(from.c_str()) + " --tokens 30 --precision " + precision +
                    " --prompt " + prompt) == run.sample + "\n");
    }
  }
  auto const prompt = quoted(trained().sample.substr(0, 1));
  CHECK(text_of(model() + "--tokens 30 --prompt " + prompt) == trained().sample + "\n");
  // The same parameters, as the trainer has written them for others.
  CHECK(text_of("--model " + trained().folder.quote("hf") + " --tokens 30 --prompt " + prompt) ==
        trained().sample + "\n");
  CHECK(text_of(model() + "--data " + trained().folder.quote("text.txt") + " --tokens 30 --prompt " + prompt) ==
        trained().sample + "\n");
}

namespace {

/// A tokenizer of bytes alone, as byte-level BPE without merges, and a token that ends texts.
std::string tokenizer_of_bytes() {
  std::string vocabulary;
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    bool const is_shown = (byte > 32 && byte < 127) || (byte > 160 && byte != 173);
    char name[8];
    std::snprintf(name, sizeof name, "\\u%04x", is_shown ? byte : next++);
    vocabulary += (byte == 0 ? "\"" : ",\"") + std::string(name) + "\":" + std::to_string(byte);
  }
  return "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":[{\"id\":256,\"content\":"
         "\"<|endoftext|>\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":"
         "true}],"
         "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":"
         "true,"
         "\"use_regex\":true},\"post_processor\":null,\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,"
         "\"trim_offsets\":true,\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,"
         "\"continuing_subword_prefix\":null,\"end_of_word_suffix\":null,\"fuse_unk\":false,\"vocab\":{" +
         vocabulary + "},\"merges\":[]}}";
}

}  // namespace

TEST_CASE("generate_gpt2: a tokenizer beside the model, or one that is named, and prompts of its tokens") {
  Folder const folder;
  write(folder / "tokenizer.json", tokenizer_of_bytes());
  std::string tokens;  // of 16 bits: lines of two characters that take three bytes each, and the end of a text
  for (int i = 0; i < 400; ++i) {
    for (int const token : {0xE2, 0x82, 0xAC, 0xE2, 0x86, 0x92, 0x0A, i % 4 == 3 ? 256 : 0x0A}) {
      tokens += static_cast<char>(token & 0xFF);
      tokens += static_cast<char>(token >> 8);
    }
  }
  write(folder / "tokens.bin", tokens);
  auto const outcome = trainer_test::run("--data " + folder.quote("tokens.bin") + " --vocab 257 " + trainer_test::tiny +
                                         "--batch 8 --iterations 300 --eval-interval 300 --lr 1e-2 --checkpoint-dir " +
                                         folder.quote("run") + " --save-hf " + folder.quote("hf"));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  std::string const asked = " --prompt '\xE2\x82\xAC' --temperature 0 --tokens 12 ";
  auto const named =
      text_of("--model " + folder.quote("run") + " --tokenizer " + folder.quote("tokenizer.json") + asked);
  CHECK(named.starts_with("\xE2\x82\xAC\xE2\x86\x92\n"));  // it has learned that much
  CHECK(text_of("--model " + folder.quote("hf") + asked) == named);
  CHECK(text_of("--model " + folder.quote("run") + asked) == named);  // the one beside its data
  CHECK(text_of("--model " + folder.quote("hf") + " --prompt-ids 226,130,172 --temperature 0 --tokens 12") == named);
  // A special token that a prompt spells is one token, and ends a text that comes to it.
  std::string const behind = " --temperature 0 --tokens 4 --model " + folder.quote("hf");
  CHECK(text_of("--prompt '<|endoftext|>\xE2\x82\xAC'" + behind) == text_of("--prompt-ids 256,226,130,172" + behind));
  auto const ends =
      text_of("--model " + folder.quote("hf") + " --json --tokens 200 --temperature 1 --prompt '\xE2\x82\xAC'");
  CHECK(ends.find("\"ended_by\":\"end of text\"") != std::string::npos);
  CHECK(ends.find("endoftext") == std::string::npos);
  check_refused("--model " + folder.quote("hf") + " --prompt a\xFF", "--prompt: the text is not UTF-8: byte 1 ", 2);
  check_refused("--model " + folder.quote("run") + " --prompt a --tokenizer " + folder.quote("none.json"), "none.json",
                4);
  write(folder / "broken.json", "{\"model\":");
  check_refused("--model " + folder.quote("run") + " --prompt a --tokenizer " + folder.quote("broken.json"),
                "broken.json", 4);
  check_refused("--model '" HUGGING_FACE_FOLDER "' --prompt a --tokenizer " + folder.quote("tokenizer.json"),
                "which is less than the 257 tokens", 4);
  check_refused("--model " + folder.quote("run") + " --prompt a --data x --tokenizer y", "leave one of them out", 2);
  // A file of other bytes with the same tokens, and one with others.
  auto bytes = tokenizer_of_bytes();
  write(folder / "same.json", bytes + "\n");
  auto const swap = bytes.find("\"\\u0061\":97,\"\\u0062\":98");
  REQUIRE(swap != std::string::npos);
  write(folder / "other.json", bytes.replace(swap, 23, R"("\u0061":98,"\u0062":97)"));
  for (auto const& from : {"--model " + folder.quote("run"), "--model " + folder.quote("hf")}) {
    CHECK(text_of(from + " --tokenizer " + folder.quote("same.json") + asked) == named);
    auto const with_other = from + " --tokenizer " + folder.quote("other.json");
    check_refused(with_other + asked, "stand for, as that says: leave the option out, or give --allow-other", 4);
    CHECK(text_of(with_other + " --allow-other-tokenizer" + asked) == named);  // no a, no b
    check_refused(from + " --allow-other-tokenizer" + asked, "needs --tokenizer or --data", 2);
  }
}

TEST_CASE("generate_gpt2: a checkpoint knows the tokenizer of its run by its bytes, wherever that is") {
  Folder const folder;
  fs::create_directories(folder / "data");
  auto const put = [&](std::string const& tokenizer) {
    std::string tokens;
    for (int i = 0; i < 400; ++i) tokens += std::string(1, static_cast<char>('a' + i % 7)) + '\0';
    write(folder / "data" / "train_000000.bin", tokens);
    write(folder / "data" / "tokenizer.json", tokenizer);
    auto const hash = [](std::string const& text) {
      char digits[17];
      std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(zero::fingerprint_of(text)));
      return std::string(digits);
    };
    write(folder / "data" / "manifest.json",
          R"({"format":"zero-tokens","version":1,"encoding":"uint16","vocabulary":257,"separator":256,"tokenizer":)"
          R"({"file":"tokenizer.json","kind":"bpe","bytes":)" +
              std::to_string(tokenizer.size()) + R"(,"hash":")" + hash(tokenizer) +
              R"("},"shards":[{"file":"train_000000.bin","split":"train","tokens":400,"bytes":800,"hash":")" +
              hash(tokens) + R"("}]})");
  };
  put(tokenizer_of_bytes());
  auto const outcome = trainer_test::run("--data " + folder.quote("data") + trainer_test::tiny + "--checkpoint-dir " +
                                         folder.quote("run"));
  INFO(outcome.output);
  REQUIRE(outcome.code == 0);
  std::string const asked = "--model " + folder.quote("run") + " --prompt abc --tokens 3 ";
  auto const text = text_of(asked);
  check_refused("--prompt a --model " + folder.quote("data"), "is a folder of tokens, which a model is trained on", 4);
  trainer_test::check_rejected("--resume " + folder.quote("data"), "is a folder of tokens", 4);
  put(tokenizer_of_bytes() + "\n");  // the folder was made anew
  check_refused(asked, "is not the tokenizer that the run was trained with: name that one with --tokenizer", 4);
  fs::rename(folder / "data", folder / "moved");
  write(folder / "tokenizer.json", tokenizer_of_bytes());
  write(folder / "other.json", tokenizer_of_bytes() + "\n");  // nobody can say any more that it means the same
  CHECK(text_of(asked + "--tokenizer " + folder.quote("tokenizer.json")) == text);
  check_refused(asked + "--tokenizer " + folder.quote("other.json"), "give --allow-other-tokenizer", 4);
  CHECK(text_of(asked + "--allow-other-tokenizer --tokenizer " + folder.quote("other.json")) == text);
}

TEST_CASE("generate_gpt2: a text is the same alone and in any batch, with any number of threads") {
  auto const& folder = trained().folder;
  std::vector<std::string> const prompts{"the qui", "fox", "j", "over th", "lazy dog", "the qui"};
  std::string all;
  for (auto const& prompt : prompts) all += prompt + "\n";
  write(folder / "prompts", all);
  for (std::string const precision : {" --precision fp32 ", " --precision int8 "}) {
    std::string alone;
    for (auto const& prompt : prompts)
      alone += text_of(model() + "--json --tokens 20 --prompt " + quoted(prompt) + precision);
    for (std::string const batch : {"--batch 1", "--batch 2 --threads 3", "--batch 5 --threads 1", ""}) {
      CHECK(text_of(model() + "--json --tokens 20 --prompts " + folder.quote("prompts") + precision + batch) == alone);
    }
  }
}

TEST_CASE("generate_gpt2: lines of a file of prompts end with LF or CRLF, the last one with neither, too") {
  auto const& folder = trained().folder;
  auto const texts = [&](std::string const& content) {
    write(folder / "prompts", content);
    return text_of(model() + "--tokens 5 --prompts " + folder.quote("prompts"));
  };
  auto const two = texts("fox\ndog\n");
  CHECK(two == text_of(model() + "--tokens 5 --prompt fox --prompt dog"));
  CHECK(lines_of(two).front().starts_with("fox"));
  CHECK(two.find("\n---\ndog") != std::string::npos);
  CHECK(texts("fox\r\ndog\r\n") == two);
  CHECK(texts("fox\ndog") == two);
}

TEST_CASE("generate_gpt2: tokens by their numbers, and as numbers where nobody says what they stand for") {
  std::string const random = "--model '" HUGGING_FACE_FOLDER "' --prompt-ids 1,28,0 --temperature 0 --tokens 6";
  auto const numbers = lines_of(text_of(random)).at(0);
  CHECK(numbers.starts_with("1 28 0 "));
  CHECK(std::count(numbers.begin(), numbers.end(), ' ') == 8);
  auto const json = text_of(random + " --json");
  auto listed = numbers.substr(7);
  std::replace(listed.begin(), listed.end(), ' ', ',');
  CHECK(json.find("\"tokens\":[" + listed + "]") != std::string::npos);
  CHECK(json.find("\"ended_by\":\"tokens\"") != std::string::npos);
  // A text, and the same text by its tokens.
  auto const known = text_of(model() + "--prompt the --tokens 8 --json");
  auto const begin = known.find("\"tokens\":[") + 10;
  auto const ids = known.substr(begin, known.find(']') - begin);
  auto const again = text_of(model() + "--prompt-ids " + ids + " --tokens 1 --json");
  CHECK(again.find("\"prompt\":\"" + known.substr(known.find("\"text\":\"") + 8, 8)) != std::string::npos);
}

TEST_CASE("generate_gpt2: a text ends before a stop text, and at the token that ends texts") {
  auto const whole = text_of(model() + "--prompt 'the ' --tokens 40 --seed 3");
  auto const stop = whole.substr(20, 3);
  auto const first = whole.find(stop, 4);
  CHECK(text_of(model() + "--prompt 'the ' --tokens 40 --seed 3 --stop " + quoted(stop) + " --stop '@@'") ==
        whole.substr(0, first) + "\n");
  CHECK(text_of(model() + "--json --prompt 'the ' --tokens 40 --seed 3 --stop " + quoted(stop))
            .find("\"ended_by\":\"stop\"") != std::string::npos);
  check_refused(model() + "--prompt a --stop '\xFF'", "--stop: the text is not UTF-8: byte 0 begins no character", 2);
  // A model whose configuration names the token that it would have drawn third.
  path const folder = trained().folder / "ends";
  fs::create_directories(folder);
  fs::copy_file(HUGGING_FACE_FOLDER "/model.safetensors", folder / "model.safetensors",
                fs::copy_options::overwrite_existing);
  std::string const greedy = "--prompt-ids 1,28,0 --temperature 0 --tokens 6 --model ";
  std::istringstream numbers(text_of(greedy + "'" HUGGING_FACE_FOLDER "'"));
  std::vector<std::string> words;
  for (std::string word; numbers >> word;) words.push_back(word);
  std::ifstream file(HUGGING_FACE_FOLDER "/config.json");
  std::string config((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  auto const at = config.find("\"eos_token_id\": null");
  REQUIRE(at != std::string::npos);
  auto const with_end = [&](std::string const& id) {
    auto changed = config;
    write(folder / "config.json", changed.replace(at, 20, "\"eos_token_id\": " + id));
  };
  for (auto const& [id, error] : {std::pair{"9999", "eos_token_id is 9999, but the vocabulary is 29: name a token"},
                                  {"\"x\"", "eos_token_id is no token's number"},
                                  {"-1", "eos_token_id is no token's number"},
                                  {"[1, 2]", "eos_token_id lists several tokens"}}) {
    with_end(id);
    check_refused(greedy + trained().folder.quote("ends"), error, 4);
  }
  with_end("50256");  // which transformers writes for any vocabulary
  CHECK(lines_of(text_of(greedy + trained().folder.quote("ends"))).size() == 1);
  with_end("[" + words.at(5) + "]");
  auto const end = std::find(words.begin() + 3, words.end(), words[5]) - words.begin();
  std::string wanted;
  for (std::ptrdiff_t i = 0; i < end; ++i) wanted += (i == 0 ? "" : " ") + words[static_cast<std::size_t>(i)];
  CHECK(text_of(greedy + trained().folder.quote("ends")) == wanted + "\n");
  CHECK(lines_of(text_of(greedy + trained().folder.quote("ends") + " --ignore-end")).at(0).size() > wanted.size());
}

TEST_CASE("generate_gpt2: what a text is drawn with changes it, and 1 of --top-k is greedy") {
  std::string const base = "--prompt fox --tokens 40 ";
  auto const greedy = text_of(model() + base + "--temperature 0");
  CHECK(text_of(model() + base + "--top-k 1 --temperature 2") == greedy);
  CHECK(text_of(model() + base + "--top-p 1e-9 --temperature 2") == greedy);
  auto const hot = text_of(model() + base + "--temperature 2");
  CHECK(hot != greedy);
  CHECK(text_of(model() + base + "--temperature 2 --seed 7") != hot);
  CHECK(text_of(model() + base + "--temperature 2 --top-k 3") != hot);
  CHECK(text_of(model() + base + "--temperature 2 --top-p 0.5") != hot);
  CHECK(text_of(model() + base + "--temperature 2") == hot);
}

TEST_CASE("generate_gpt2: perplexity of a text and of its tokens, and memory and speed on standard error") {
  auto const of_text = text_of(model() + "--perplexity " + trained().folder.quote("text.txt"));
  CHECK(of_text.starts_with("perplexity "));
  CHECK(of_text.find("tokens in windows of 8") != std::string::npos);
  std::ifstream file(trained().folder / "text.txt");
  std::string const text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::set<char> const characters(text.begin(), text.end());
  std::string tokens;  // of 16 bits, in little-endian order
  for (char const c : text) {
    tokens += static_cast<char>(std::distance(characters.begin(), characters.find(c)));
    tokens += '\0';
  }
  write(trained().folder / "tokens.bin", tokens);
  CHECK(text_of(model() + "--perplexity " + trained().folder.quote("tokens.bin")) == of_text);
  auto const both = generate(model() + "--precision int8 --prompt fox --tokens 9", true);
  CHECK(both.output.find("generate_gpt2: weights ") != std::string::npos);
  CHECK(both.output.find("MB as int8") != std::string::npos);
  CHECK(both.output.find("9 tokens of 1 text") != std::string::npos);
  auto const silent = generate(model() + "--prompt fox --tokens 9 --stats off", true);
  CHECK(silent.output.find("generate_gpt2: ") == std::string::npos);
}

TEST_CASE("generate_gpt2: bad input gets one line that says what is wrong, and its exit code") {
  auto const& folder = trained().folder;
  auto const m = model();
  check_refused("--prompt a", "--model: must be given", 2);
  check_refused(m, "--prompt: must be given", 2);
  check_refused(m + "--prompt ''", "--prompt: needs a value", 2);
  check_refused(m + "--prompt 'the quick'", "has 9 tokens, but the model's context is 8", 2);
  check_refused(m + "--prompt fo\xC3", "--prompt: the text is not UTF-8: byte 2 ", 2);
  check_refused(m + "--prompt 'fo@'", "--prompt: the text has the character U+0040 (byte 2)", 2);
  check_refused(m + "--prompt-ids 1,x", "--prompt-ids x: expected a whole number", 2);
  check_refused(m + "--prompt-ids 1,,2", "expected a whole number", 2);
  check_refused(m + "--prompt-ids 999", "expected a whole number from 0 to ", 2);
  check_refused(m + "--prompt a --temperature -1", "--temperature -1: expected a number that is not negative", 2);
  check_refused(m + "--prompt a --temperature nan", "expected a number that is not negative", 2);
  check_refused(m + "--prompt a --top-k 0", "--top-k 0: expected a whole number from 1", 2);
  check_refused(m + "--prompt a --top-p 0", "--top-p 0: expected a number above 0", 2);
  check_refused(m + "--prompt a --top-p 1.5", "--top-p 1.5: expected a number above 0", 2);
  check_refused(m + "--prompt a --tokens 0", "--tokens 0: expected a whole number from 1", 2);
  check_refused(m + "--prompt a --precision int4", "--precision int4: expected fp32|bf16|fp16|int8", 2);
  check_refused(m + "--prompt a --prompts x", "leave --prompt and --prompt-ids out", 2);
  check_refused(m + "--prompt a --heads 3", "has 2: leave the option out", 2);
  fs::copy(folder / "hf", folder / "bare");
  fs::remove(folder / "bare/config.json");
  auto const bare = "--model " + folder.quote("bare") + " --prompt a ";
  check_refused(bare, "nothing there says how many heads it has: give --heads", 2);
  check_refused(bare + "--heads 3", "--heads 3: must divide the width", 2);
  CHECK(text_of(bare + "--heads 2") == text_of("--model " + folder.quote("hf") + " --prompt a"));
  check_refused("--model '" HUGGING_FACE_FOLDER "' --prompt a", "nothing there says what its tokens stand for", 2);

  auto const file = [&](char const* name, std::string const& content) {
    write(folder / name, content);
    return m + "--prompts " + folder.quote(name);
  };
  check_refused(m + "--prompts " + folder.quote("none"), "no such file", 4);
  check_refused(m + "--prompts " + folder.quote("run"), "is a folder", 4);
  check_refused(file("p", ""), "is empty", 4);
  check_refused(file("p", "a\n\nb\n"), "line 2: is empty", 4);
  check_refused(file("p", "a\n\r\nb\n"), "line 2: is empty", 4);
  check_refused(file("p", "a\nfo\xFF\n"), "line 2: the text is not UTF-8: byte 2 ", 4);
  check_refused(file("p", "a\nthe quick\n"), "line 2: has 9 tokens", 4);

  check_refused("--prompt a --model " + folder.quote("none"), "there is no folder", 4);
  check_refused("--prompt a --model " + folder.quote("none.safetensors"), "no such file", 4);
  fs::create_directories(folder / "other");
  check_refused("--prompt a --model " + folder.quote("other"), "other", 4);
  check_refused("--model " + folder.quote("run") + " --data " + folder.quote("none") + " --prompt a", "no such file",
                4);
  write(folder / "many.txt", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  check_refused("--model " + folder.quote("run") + " --data " + folder.quote("many.txt") + " --prompt a",
                "is not what the tokens of", 4);
  check_refused(m + "--allow-other-tokenizer --data " + folder.quote("many.txt") + " --prompt a",
                "which is less than the 62 tokens", 4);
  check_refused(m + "--perplexity " + folder.quote("none"),
                "generate_gpt2: " + (folder / "none").string() + ": no such", 4);
  check_refused(m + "--perplexity " + folder.quote("many.txt"), "which the vocabulary does not have", 4);
}

TEST_CASE("generate_gpt2: a full disk behind standard output is said, and is no success") {
  auto const outcome = generate(model() + "--prompt fox --tokens 5 --stats off 2>&1 > /dev/full");
  CHECK(outcome.code == 1);
}

}  // namespace gpt2_generation_program_test
