// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "generate_options.hpp"

#include "support/settings.hpp"
#include "support/usage_error.hpp"
#include "text/unicode.hpp"

#include <limits>
#include <string>
#include <string_view>

namespace gpt2 {
namespace {

using command_line::Choices;
using command_line::UsageError;
using Group = command_line::Group<GenerateOptions>;
using Option = command_line::Option<GenerateOptions>;
using Settings = command_line::Settings<GenerateOptions>;

constexpr double huge = std::numeric_limits<double>::max();

command_line::Setting<GenerateOptions> prompt(bool is_tokens) {
  return {[=](GenerateOptions& options, std::string_view, std::string_view value) {
    options.prompts.push_back({is_tokens, std::string(value)});
  }};
}

Group model_group() {
  return {"model",
          {{"--model", "PATH",
            "a checkpoint of train_gpt2 or a folder of them, or a model's folder as transformers saves it",
            Settings::text(&GenerateOptions::model), "none: it must be given"},
           {"--heads", "N", "attention heads of a model that does not say it",
            Settings::whole(&GenerateOptions::heads, 1, 1024), "as the model says"},
           {"--data", "FILE", "the text that the model was trained on, whose characters are its tokens",
            Settings::text(&GenerateOptions::data), "as the model says"},
           {"--tokenizer", "PATH", "its tokenizer.json, or a folder with that, or with vocab.json and merges.txt",
            Settings::text(&GenerateOptions::tokenizer), "the one beside the model, or beside its data"},
           {"--allow-other-tokenizer", "[on|off]",
            "take --tokenizer or --data although the model says that its tokens stand for something else",
            Settings::flag(&GenerateOptions::allows_other_tokenizer)}}};
}

Group prompt_group() {
  return {"prompts",
          {{.name = "--prompt",
            .value = "TEXT",
            .help = "a text to go on with; may be given several times",
            .setting = prompt(false),
            .repeats = true},
           {.name = "--prompt-ids",
            .value = "N,N,...",
            .help = "the same by its tokens",
            .setting = prompt(true),
            .repeats = true},
           {"--prompts", "FILE", "a prompt in each line; lines end with LF or CRLF",
            Settings::text(&GenerateOptions::prompts_file), "none"}}};
}

Group text_group() {
  return {"text",
          {{"--tokens", "N", "tokens behind a prompt, at most", Settings::whole(&GenerateOptions::tokens, 1, 1 << 20)},
           {"--temperature", "X", "divides the logits; 0: always the likeliest token",
            Settings::real(
                [](auto& o) -> auto& { return o.sampling.temperature; }, 0.0, huge, "a number that is not negative")},
           {"--top-k", "N", "draw from so many of the likeliest tokens only",
            Settings::whole(
                [](auto& o) -> auto& { return o.sampling.top_k; }, 1, 1 << 30),
            "all"},
           {"--top-p", "X", "share of probability, of what --top-k leaves, that is drawn from",
            Settings::real(
                [](auto& o) -> auto& { return o.sampling.top_p; }, std::numeric_limits<double>::min(), 1.0,
                "a number above 0 and at most 1")},
           {"--seed", "N", "seed of what is drawn",
            Settings::whole(&GenerateOptions::seed, 0, std::numeric_limits<std::uint64_t>::max())},
           {.name = "--stop",
            .value = "TEXT",
            .help = "a text ends before this one; may be given several times",
            .setting = {[](GenerateOptions& options, std::string_view name, std::string_view value) {
              auto const malformed = zero_text::first_malformed(value);
              if (malformed != value.size()) {
                throw UsageError(std::string(name) + ": the text is not UTF-8: byte " + std::to_string(malformed) +
                                 " begins no character");
              }
              options.stops.emplace_back(value);
            }},
            .repeats = true},
           {"--ignore-end", "[on|off]", "go on behind the vocabulary's end-of-text token",
            Settings::flag(&GenerateOptions::ignores_end)}}};
}

Group output_group() {
  return {"output",
          {{"--json", "[on|off]", "a JSON object in each line: prompt, text, tokens and why it ends",
            Settings::flag(&GenerateOptions::json)},
           {"--stats", "[on|off]", "memory and tokens per second, on standard error",
            Settings::flag(&GenerateOptions::stats)},
           {"--perplexity", "FILE", "in place of generating: how well the model predicts a text, or tokens (.bin)",
            Settings::text(&GenerateOptions::perplexity), "none"}}};
}

Group place_group() {
  using enum WeightType;
  return {"how it computes",
          {{"--precision", "fp32|bf16|fp16|int8",
            "type of the weights in memory; int8 has a scale for each output of a matrix",
            Settings::choice(&GenerateOptions::precision,
                             Choices<WeightType, 4>{{{"fp32", fp32}, {"bf16", bf16}, {"fp16", fp16}, {"int8", int8}}})},
           {"--threads", "N", "threads", Settings::whole(&GenerateOptions::threads, 1, 1024), "the cores"},
           {"--batch", "N", "texts at a time, which changes none of them",
            Settings::whole(&GenerateOptions::batch, 1, 4096)}}};
}

void check(GenerateOptions const& o) {
  if (!o.model) throw UsageError("--model: must be given: a checkpoint of train_gpt2, or a model's folder");
  if (o.data && o.tokenizer)
    throw UsageError("--tokenizer: says what tokens are, as --data does: leave one of them out");
  if (o.allows_other_tokenizer && !o.data && !o.tokenizer)
    throw UsageError("--allow-other-tokenizer: needs --tokenizer or --data");
  bool const has_prompts = !o.prompts.empty() || o.prompts_file;
  if (o.perplexity && has_prompts) throw UsageError("--perplexity: takes no prompts: leave them out");
  if (!o.perplexity && !has_prompts) throw UsageError("--prompt: must be given, or --prompts, or --prompt-ids");
  if (!o.prompts.empty() && o.prompts_file) {
    throw UsageError("--prompts: a file has all prompts: leave --prompt and --prompt-ids out");
  }
}

}  // namespace

command_line::Command<GenerateOptions> const& generate_command() {
  using command_line::ExitCode;
  static command_line::Command<GenerateOptions> const made{
      .name = "generate_gpt2",
      .synopsis = "--model PATH --prompt TEXT [OPTION...]",
      .what = "Goes on with texts, by a GPT-2 that train_gpt2 or transformers has saved.",
      .groups = {model_group(), prompt_group(), text_group(), place_group(), output_group()},
      .exit_codes = {ExitCode::done, ExitCode::failed, ExitCode::usage, ExitCode::data, ExitCode::damaged}};
  return made;
}

GenerateOptions parse_generate_options(command_line::Words words) {
  return command_line::parsed(generate_command(), words, check);
}

}  // namespace gpt2
