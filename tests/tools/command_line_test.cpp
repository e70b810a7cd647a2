// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What all programs share: options, their values, help and suggestions.
#include "support/command_line.hpp"
#include "support/byte_size.hpp"
#include "support/counted.hpp"
#include "support/gpt2_sizes.hpp"
#include "support/help.hpp"
#include "support/settings.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tools_command_line_test {

namespace {

struct Options {
  int ranks = 1;
  double rate = 1e-3;
  bool late = false, whole = false;
  std::optional<std::string> data{};
  std::optional<std::uint64_t> memory{};
  std::vector<std::string> tied{}, words{};
  command_line::Asked asked{};
};

command_line::Command<Options> command() {
  using Settings = command_line::Settings<Options>;
  return {.name = "program",
          .synopsis = "[OPTION...]",
          .what = "Does what a test asks for, in a sentence that is long enough to be wrapped at the eightieth column.",
          .groups = {{"first",
                      {{"--ranks", "N", "number of ranks", Settings::whole(&Options::ranks, 1, 256), {}, "--world"},
                       {"--lr", "X", "learning rate", Settings::real(&Options::rate, 0.0, 1.0, "a number up to 1")},
                       {"--data", "FILE", "what is read", Settings::text(&Options::data), "the words of a song"}}},
                     {"second",
                      {{"--memory", "SIZE", "memory of a device", Settings::size(&Options::memory)},
                       {"--delayed-update", "[on|off]", "updates late", Settings::flag(&Options::late)},
                       {"--whole", "", "takes all of it", Settings::flag(&Options::whole)},
                       {.name = "--tied",
                        .value = "NAME",
                        .help = "a name",
                        .setting = {[](Options& o, std::string_view, std::string_view v) { o.tied.emplace_back(v); }},
                        .repeats = true}}}},
          .exit_codes = {command_line::ExitCode::done, command_line::ExitCode::usage},
          .take_word = [](Options& o, std::string_view word) { o.words.emplace_back(word); }};
}

Options read(std::vector<char const*> const& words) {
  Options options;
  command_line::parse(command(), words, options);
  return options;
}

/// What is wrong with a command line; empty where nothing is.
std::string problem(std::vector<char const*> const& words) {
  try {
    (void)read(words);
  } catch (command_line::UsageError const& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("command line: a value is the next word or follows an equals sign, and both spellings of a name are one") {
  auto const options = read({"--ranks=4", "--lr", "0.5", "--data=a=b", "--tied", "x", "--tied=y"});
  CHECK(options.ranks == 4);
  CHECK(options.rate == 0.5);
  CHECK(options.data == "a=b");
  CHECK(options.tied == std::vector<std::string>{"x", "y"});
  CHECK(read({"--world", "8"}).ranks == 8);
  CHECK(read({"--world", "8"}).asked.given.at("--ranks") == "8");
  CHECK(problem({"--ranks="}).starts_with("--ranks: needs a value: --ranks N, number of ranks"));
  CHECK(problem({"--whole=on"}) == "--whole: takes no value");
}

TEST_CASE("command line: a value that may be left out is on, and no other word is taken for it") {
  CHECK_FALSE(read({}).late);
  CHECK(read({"--delayed-update"}).late);
  CHECK(read({"--delayed-update", "on"}).late);
  CHECK(read({"--delayed-update", "--whole"}).whole);
  CHECK_FALSE(read({"--delayed-update=off"}).late);
  CHECK_FALSE(read({"--delayed-update", "off"}).late);
  CHECK(read({"--delayed-update", "file"}).words == std::vector<std::string>{"file"});
  CHECK(problem({"--delayed-update=late"}) == "--delayed-update late: expected on|off");
}

TEST_CASE("command line: an option that is given twice, by whatever name, is an error") {
  CHECK(problem({"--ranks", "2", "--ranks", "4"}) == "--ranks: is given twice: leave one of them out");
  CHECK(problem({"--ranks", "2", "--world=4"}) == "--world: is given twice: leave one of them out");
  CHECK(problem({"--whole", "--whole"}).starts_with("--whole: is given twice"));
}

TEST_CASE("command line: an option is not taken for the value of another one") {
  CHECK(problem({"--data", "--lr", "1"}).starts_with("--data: needs a value"));
  CHECK(problem({"--data", "--lr=1"}).starts_with("--data: needs a value"));
  CHECK(problem({"--data", ""}).starts_with("--data: needs a value"));
  CHECK(problem({"--data"}).starts_with("--data: needs a value"));
  CHECK(read({"--data", "--other"}).data == "--other");
  CHECK(read({"--", "--lr"}).words == std::vector<std::string>{"--lr"});
}

TEST_CASE("command line: help and version win over whatever else is there, but not behind --") {
  CHECK(read({"--frobnicate", "-h"}).asked.help);
  CHECK(read({"--ranks", "x", "--version"}).asked.version);
  CHECK_FALSE(read({"--", "-h"}).asked.help);
}

TEST_CASE("command line: what is unknown is answered with what was meant, or why it is not needed") {
  std::vector<std::string_view> const known{"--iterations", "--lr",      "--ranks",  "--precision", "--context",
                                            "--min-lr",     "--offload", "--layers", "--log",       "--log-interval"};
  std::vector<std::pair<char const*, char const*>> const meant{{"--max_iters", "--iterations"},
                                                               {"--learning_rate", "--lr"},
                                                               {"--learning-rate", "--lr"},
                                                               {"--fp16", "--precision fp16"},
                                                               {"--num_gpus", "--ranks"},
                                                               {"--min_lr", "--min-lr"},
                                                               {"--LR", "--lr"},
                                                               {"-lr", "--lr"},
                                                               {"--block_size", "--context"},
                                                               {"--cpu-offload", "--offload cpu"},
                                                               {"--n_gpus", "--ranks"},
                                                               {"--itreations", "--iterations"},
                                                               {"--iter", "--iterations"},
                                                               {"--rank", "--ranks"},
                                                               {"--n_layer=4", "--layers"},
                                                               {"--prec", "--precision"}};
  for (auto const& pair : meant) {
    CAPTURE(pair.first);
    CHECK(command_line::suggestion(pair.first, known) == pair.second);
  }
  for (char const* word : {"--frobnicate", "--x", "--", "--lo", "--hidden_size"}) {
    CAPTURE(word);
    CHECK(command_line::suggestion(word, known).empty());
  }
  CHECK(problem({"--learning_rate", "1"}) ==
        "--learning_rate: unknown option; did you mean --lr? --help lists them all");
  for (char const* word : {"--local_rank=0", "--local-rank", "-LOCAL_RANK"}) {
    CAPTURE(word);
    CHECK(command_line::what_was_meant(word, known).find("the launcher's environment variables") == 0);
  }
  // What one of these programs calls otherwise than another one.
  CHECK(command_line::suggestion("--memory-limit", {"--memory", "--host-memory"}) == "--memory");
  CHECK(command_line::suggestion("--save-model", {"--save-hf", "--save-hf-best"}) == "--save-hf");
  CHECK(command_line::suggestion("--save_hf", {"--save-model"}) == "--save-model");
  CHECK(command_line::suggestion("--iterations", {"--epochs"}) == "--epochs");
  CHECK(command_line::suggestion("--max-new-tokens", {"--tokens"}) == "--tokens");
  CHECK(command_line::suggestion("--tokens", {"--sample"}) == "--sample");
  CHECK(command_line::suggestion("--init-from", {"--model", "--safetensors"}) == "--safetensors");
  CHECK(command_line::suggestion("--output-dir", {"--output"}) == "--output");
  for (char const* word : {"--granule", "--alignment=256"}) {
    CHECK(command_line::what_was_meant(word, {"--config"}) == "the engine aligns parameters by itself: leave it out");
  }
  CHECK(command_line::what_was_meant("--bucket", {"--config"}).find("reduce_bucket_size") != std::string::npos);
  CHECK(command_line::what_was_meant("--compile", known) == "all is compiled already: leave it out");
  CHECK(command_line::what_was_meant("--compile", {"--lr"}) == "--help lists them");
  CHECK(command_line::what_was_meant("--tokenizer", known) == "--help lists them");
  CHECK(problem({"--frobnicate"}) == "--frobnicate: unknown option; --help lists them");
}

TEST_CASE("command line: a letter alone and iB are binary, B is decimal, in capital or small letters") {
  using command_line::parse_size;
  CHECK(parse_size("80G") == std::uint64_t{80} << 30U);
  CHECK(parse_size("80GiB") == std::uint64_t{80} << 30U);
  CHECK(parse_size("80gib") == std::uint64_t{80} << 30U);
  CHECK(parse_size("80GB") == 80000000000U);
  CHECK(parse_size("80gb") == 80000000000U);
  CHECK(parse_size("1.5kB") == 1500U);
  CHECK(parse_size("1K") == 1024U);
  CHECK(parse_size("2T") == std::uint64_t{2} << 40U);
  CHECK(parse_size("512") == 512U);
  CHECK(parse_size("512B") == 512U);
  CHECK(parse_size("0") == 0U);
  for (char const* wrong : {"", "G", "-1G", "1GBs", "1XB", "80 GB", "1iB", "nan", "inf", "1e30", "2000000T"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_size(wrong));
  }
  CHECK(read({"--memory", "80G"}).memory == std::uint64_t{80} << 30U);
  CHECK(problem({"--memory", "80X"}).starts_with("--memory 80X: expected bytes below 2^60: 80G and 80GiB are binary"));
}

TEST_CASE("command line: the help has every option with its default, in 80 columns at most") {
  auto const text = command_line::help_of(command());
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 80);
    CHECK((line.empty() || line.back() != ' '));
  }
  for (char const* part :
       {"first:\n  --ranks N ", "number of ranks (default: 1)", "(default: 0.001)", "(default: the words of a song)",
        "second:\n", "(default: none)", "(default: off)", "exit codes:\n  0 done\n  2 a command line"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

TEST_CASE("command line: GPT-2's sizes have the names of papers and of Hugging Face's hub") {
  using command_line::find_gpt2_size;
  REQUIRE(find_gpt2_size("gpt2-xl") != nullptr);
  CHECK(find_gpt2_size("gpt2-xl") == find_gpt2_size("gpt2-1558m"));
  CHECK(find_gpt2_size("openai-community/gpt2") == find_gpt2_size("gpt2-124m"));
  CHECK(find_gpt2_size("gpt2-xxl") == nullptr);
  for (auto const& size : command_line::gpt2_sizes) CHECK(size.width == 64 * size.heads);
}

TEST_CASE("command line: what is counted is named in the singular or the plural") {
  CHECK(command_line::counted(1, "rank") == "1 rank");
  CHECK(command_line::counted(0, "rank") == "0 ranks");
  CHECK(command_line::counted(2, "micro-batch") == "2 micro-batches");
}

}  // namespace tools_command_line_test
