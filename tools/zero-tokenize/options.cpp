// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.hpp"

#include "support/settings.hpp"

#include <string_view>
#include <utility>

namespace zero_tokenize {
namespace {

using command_line::Choices;
using zero_text::Pattern;
using zero_text::ShardEncoding;
using Group = command_line::Group<Options>;
using Settings = command_line::Settings<Options>;
using View = std::string_view;

constexpr Choices<Documents, 3> documents_choices{
    {{"file", Documents::file}, {"paragraph", Documents::paragraph}, {"line", Documents::line}}};
constexpr Choices<Separator, 3> separator_choices{
    {{"before", Separator::before}, {"after", Separator::after}, {"none", Separator::none}}};
constexpr Choices<Pattern, 3> pattern_choices{
    {{"gpt2", Pattern::gpt2}, {"llama3", Pattern::llama3}, {"qwen2", Pattern::qwen2}}};
constexpr Choices<ShardEncoding, 3> encoding_choices{{{"llm.c-uint16", ShardEncoding::llm_c_uint16},
                                                      {"llm.c-uint32", ShardEncoding::llm_c_uint32},
                                                      {"uint16", ShardEncoding::uint16}}};

Group input_group() {
  return {
      "the text: files, in this order",
      {{"--documents", "file|paragraph|line", "what of a text file is a document; a paragraph ends with an empty line",
        Settings::choice(&Options::documents, documents_choices)},
       {"--json-key", "KEY", "the inputs are JSON Lines, with the text of each under this key",
        Settings::text(&Options::json_key), "text, for files that end in .jsonl or .ndjson"},
       {"--replace", "[on|off]", "U+FFFD takes the place of bytes that are not UTF-8, which are an error otherwise",
        Settings::flag(&Options::replace)},
       {"--nanogpt", "FOLDER", "take train.bin, val.bin and the characters of meta.pkl, in place of text",
        Settings::text(&Options::nanogpt)}}};
}

Group vocabulary_group() {
  return {"the vocabulary: one of the first three",
          {{"--tokenizer", "PATH", "a tokenizer.json, or a folder with one, or with vocab.json and merges.txt",
            Settings::text(&Options::tokenizer)},
           {"--train-bpe", "N", "train a byte-level BPE of N tokens on the text",
            Settings::whole(&Options::train_bpe, 257, 1 << 20)},
           {"--characters", "[on|off]", "the distinct characters of the text, in ascending order",
            Settings::flag(&Options::characters)},
           {"--pattern", "gpt2|llama3|qwen2", "with --train-bpe: how text is parted into words",
            Settings::choice(&Options::pattern, pattern_choices)},
           {"--tokenizer-only", "[on|off]", "with --train-bpe: write the tokenizer and no shards",
            Settings::flag(&Options::tokenizer_only)},
           {"--special-tokens", "text|tokens", "what a special token is that is spelled out in a text",
            Settings::choice(&Options::recognize_special, Choices<bool, 2>{{{"text", false}, {"tokens", true}}})}}};
}

Group output_group() {
  return {"what is written",
          {{"--output", "FOLDER", "the folder of shards; one that was begun is gone on with",
            Settings::text(&Options::output)},
           {"--encoding",
            "llm.c-uint16|llm.c-uint32|uint16",
            "of the shards; uint16 is nanoGPT's",
            {[](Options& o, View n, View v) { o.encoding = command_line::choice(n, v, encoding_choices); }},
            "llm.c-uint16, or llm.c-uint32 where 16 bits do not hold the vocabulary"},
           {"--shard-tokens", "N", "tokens of a shard, of which the last may have fewer",
            Settings::whole(&Options::shard_tokens, 1, INT32_MAX)},
           {"--separator",
            "before|after|none",
            "where the token that parts documents stands",
            {[](Options& o, View n, View v) { o.separator = command_line::choice(n, v, separator_choices); }},
            "before, as llm.c; none for characters"},
           {"--separator-token", "TEXT", "the token that parts documents", Settings::text(&Options::separator_token),
            "<|endoftext|>, or what ends a text in this vocabulary"},
           {"--validation", "SHARE", "of the documents, by their hashes, what is for validation",
            Settings::real(&Options::validation, 0, 0.999, "a number from 0 to 0.999")},
           {.name = "--validation-input",
            .value = "FILE",
            .help = "all of this file is for validation; may be repeated",
            .setting = {[](Options& o, View, View v) { o.validation_inputs.emplace_back(v); }},
            .repeats = true},
           {"--overwrite", "[on|off]", "begin anew, whatever an earlier zero-tokenize has left in the folder",
            Settings::flag(&Options::overwrite)}}};
}

Group work_group() {
  return {"how it is done",
          {{"--threads", "N", "threads that encode; the result is the same",
            Settings::whole(&Options::threads, 1, 1024), "the cores that the process may run on"},
           {"--save-every", "SIZE", "text after which the state is saved, from which a killed run goes on",
            Settings::size(&Options::save_every), "64M"}}};
}

void check_nanogpt(Options const& o) {
  for (auto const* const name :
       {"--train-bpe", "--characters", "--documents", "--json-key", "--replace", "--validation", "--validation-input",
        "--separator", "--separator-token", "--special-tokens"}) {
    if (o.asked.has(name)) throw UsageError(std::string(name) + ": --nanogpt takes tokens, which are made already");
  }
  if (!o.inputs.empty()) throw UsageError(o.inputs.front() + ": --nanogpt takes no other input");
}

void check(Options const& o) {
  if (!o.output) throw UsageError("--output: name the folder that the shards go to; --help lists all options");
  if (o.save_every < 1024) throw UsageError("--save-every: give at least 1K of text");
  if (o.nanogpt) return check_nanogpt(o);
  if (o.inputs.empty() && o.validation_inputs.empty()) {
    throw UsageError("name the files with the text; --help lists all options");
  }
  if (o.inputs.empty()) throw UsageError("--validation-input: there is no text for training; name a file with it");
  int const vocabularies = (o.tokenizer ? 1 : 0) + (o.train_bpe ? 1 : 0) + (o.characters ? 1 : 0);
  if (vocabularies != 1) throw UsageError("give one of --tokenizer, --train-bpe and --characters");
  if (!o.train_bpe && (o.asked.has("--pattern") || o.tokenizer_only)) {
    throw UsageError("--pattern and --tokenizer-only: only --train-bpe needs them");
  }
  if (o.characters && o.separator && *o.separator != Separator::none) {
    throw UsageError("--separator: a vocabulary of characters has no token that parts documents");
  }
  if (o.characters && o.separator_token) {
    throw UsageError("--separator-token: a vocabulary of characters has no such token; leave it out");
  }
  if (o.separator == Separator::none && o.separator_token) {
    throw UsageError("--separator-token: with --separator none there is no such token");
  }
  if (o.json_key && o.asked.has("--documents")) {
    throw UsageError("--documents: a line of JSON Lines is a document; leave it out");
  }
  bool const one_document = o.documents == Documents::file && !o.json_key && o.inputs.size() == 1 &&
                            !o.inputs[0].ends_with(".jsonl") && !o.inputs[0].ends_with(".ndjson");
  if (o.validation > 0 && one_document) {
    throw UsageError(
        "--validation: the file is one document, which is not divided: add --documents paragraph, or give "
        "another file with --validation-input");
  }
}

}  // namespace

std::string name_of(Documents documents) { return command_line::spelled<Documents>(documents, documents_choices); }
std::string name_of(Separator separator) { return command_line::spelled<Separator>(separator, separator_choices); }
std::string name_of(Pattern pattern) { return command_line::spelled<Pattern>(pattern, pattern_choices); }

Options parse_options(std::span<char const* const> arguments) {
  return command_line::parsed(command(), arguments, check);
}

command_line::Command<Options> const& command() {
  using command_line::ExitCode;
  static command_line::Command<Options> const made{
      .name = "zero-tokenize",
      .synopsis = "--output FOLDER [OPTION...] FILE...",
      .what = "Makes a folder of shards of tokens from text, with the tokenizer and a manifest.",
      .groups = {input_group(), vocabulary_group(), output_group(), work_group()},
      .exit_codes = {ExitCode::done, ExitCode::failed, ExitCode::usage, ExitCode::data},
      .take_word = [](Options& options, View word) { options.inputs.emplace_back(word); }};
  return made;
}

}  // namespace zero_tokenize
