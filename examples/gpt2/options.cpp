// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>
#include <vector>

namespace gpt2 {
namespace {

struct Option {
  std::string_view name;
  std::string_view value;  // empty: takes none
  std::string_view help;
  std::function<void(Options&, std::string_view)> set;
};

[[noreturn]] void reject(std::string_view name, std::string_view value, std::string const& expected) {
  throw UsageError(std::string(name) + " " + std::string(value) + ": expected " + expected);
}

template <class Number>
Number parse_number(std::string_view name, std::string_view value, std::string const& expected) {
  Number number{};
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc{} || end != value.data() + value.size() || value.empty()) reject(name, value, expected);
  return number;
}

template <class Number>
auto whole(Number Options::*member, std::uint64_t least, std::uint64_t most, std::string_view name) {
  return [=](Options& options, std::string_view value) {
    std::string const expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    auto const number = parse_number<std::uint64_t>(name, value, expected);
    if (number < least || number > most) reject(name, value, expected);
    options.*member = static_cast<Number>(number);
  };
}

template <class Member>
auto real(Member member, double least, double most, std::string_view expected, std::string_view name) {
  return [=](Options& options, std::string_view value) {
    auto const number = parse_number<double>(name, value, std::string(expected));
    if (!(number >= least && number <= most)) reject(name, value, std::string(expected));
    member(options) = number;
  };
}

template <class Value, std::size_t N>
auto choice(Value Options::*member, std::array<std::pair<std::string_view, Value>, N> choices, std::string_view name) {
  return [=](Options& options, std::string_view value) {
    std::string names;
    for (auto const& [spelled, meaning] : choices) {
      if (value == spelled) {
        options.*member = meaning;
        return;
      }
      names += (names.empty() ? "" : "|") + std::string(spelled);
    }
    reject(name, value, names);
  };
}

constexpr std::uint64_t many = 1ULL << 40;
constexpr double huge = std::numeric_limits<double>::max();

#define GPT2_REAL(member) \
  [](Options & o) -> auto& { return o.member; }

// The order is that of --help.
std::vector<Option> const& options_table() {
  using zero::ElementType, zero::Reduce, zero::Stage;
  static std::vector<Option> const table{
      {"--data", "FILE", "text, or tokens in a .bin file; default: the C++ standard library headers of this machine",
       [](Options& o, std::string_view v) { o.data = std::string(v); }},
      {"--vocab", "N", "size of the vocabulary of a token file; default: 50257",
       whole(&Options::vocabulary, 1, 65536, "--vocab")},
      {"--device", "cpu|cuda", "where ranks compute; cuda: rank r on GPU r modulo their number",
       choice(&Options::cuda, std::array<std::pair<std::string_view, bool>, 2>{{{"cpu", false}, {"cuda", true}}},
              "--device")},
      {"--ranks", "N", "ranks, as threads of this process; of a launcher's processes each is one",
       whole(&Options::ranks, 1, 256, "--ranks")},
      {"--threads", "N", "threads per rank; default: the cores divided by the ranks",
       whole(&Options::threads, 1, 1024, "--threads")},
      {"--stage", "0|1|2|3", "what ZeRO shards: nothing, optimizer states, and gradients, and parameters",
       choice(
           &Options::stage,
           std::array<std::pair<std::string_view, Stage>, 4>{
               {{"0", Stage::none}, {"1", Stage::optimizer_states}, {"2", Stage::gradients}, {"3", Stage::parameters}}},
           "--stage")},
      {"--precision", "fp32|bf16|fp16", "of parameters and gradients; fp16 scales the loss dynamically",
       choice(&Options::precision,
              std::array<std::pair<std::string_view, ElementType>, 3>{
                  {{"fp32", ElementType::fp32}, {"bf16", ElementType::bf16}, {"fp16", ElementType::fp16}}},
              "--precision")},
      {"--offload", "none|cpu", "where optimizer states live",
       choice(&Options::offload, std::array<std::pair<std::string_view, bool>, 2>{{{"none", false}, {"cpu", true}}},
              "--offload")},
      {"--delayed-update", "", "update offloaded states beside the next step's passes, a step late; changes results",
       [](Options& o, std::string_view) { o.delayed_update = true; }},
      {"--layers", "N", "blocks", whole(&Options::layers, 1, 1024, "--layers")},
      {"--heads", "N", "attention heads", whole(&Options::heads, 1, 1024, "--heads")},
      {"--width", "N", "of the residual stream; a multiple of the heads",
       whole(&Options::width, 1, 1 << 16, "--width")},
      {"--context", "N", "tokens in a sequence", whole(&Options::context, 1, 1 << 16, "--context")},
      {"--batch", "N", "sequences per rank and micro-batch", whole(&Options::batch, 1, 1 << 16, "--batch")},
      {"--accumulate", "N", "micro-batches per rank and step", whole(&Options::accumulate, 1, 1 << 20, "--accumulate")},
      {"--reduce", "each_micro_batch|once_per_step", "when gradients are summed over ranks; default: by the stage",
       choice(&Options::reduce,
              std::array<std::pair<std::string_view, std::optional<Reduce>>, 2>{
                  {{"each_micro_batch", Reduce::each_micro_batch}, {"once_per_step", Reduce::once_per_step}}},
              "--reduce")},
      {"--iterations", "N", "steps", whole(&Options::iterations, 1, many, "--iterations")},
      {"--lr", "X", "largest learning rate", real(GPT2_REAL(lr), 0.0, huge, "a number that is not negative", "--lr")},
      {"--min-lr", "X", "learning rate at the end; default: a tenth of --lr",
       real(GPT2_REAL(min_lr.emplace()), 0.0, huge, "a number that is not negative", "--min-lr")},
      {"--warmup", "N", "steps of linear warm-up; default: 100, or a tenth of a shorter run",
       [](Options& o, std::string_view v) { whole(&Options::warmup, 0, many, "--warmup")(o, v); }},
      {"--weight-decay", "X", "of matrices",
       real(GPT2_REAL(weight_decay), 0.0, huge, "a number that is not negative", "--weight-decay")},
      {"--beta2", "X", "AdamW's decay of squared gradients",
       real(GPT2_REAL(beta2), 0.0, 0.9999999999, "a number in [0, 1)", "--beta2")},
      {"--clip", "X", "largest norm of the gradient; 0: no clipping",
       real(GPT2_REAL(clip), 0.0, huge, "a number that is not negative", "--clip")},
      {"--eval-interval", "N", "steps between validations", whole(&Options::eval_interval, 1, many, "--eval-interval")},
      {"--eval-batches", "N", "micro-batches of a validation, over all ranks",
       whole(&Options::eval_batches, 1, 1 << 24, "--eval-batches")},
      {"--seed", "N", "of initial values, data order and sample",
       whole(&Options::seed, 0, std::numeric_limits<std::uint64_t>::max(), "--seed")},
      {"--sample", "N", "tokens of text to generate at the end; 0: none",
       whole(&Options::sample, 0, 1 << 20, "--sample")},
      {"--temperature", "X", "of the sample; 0: always the likeliest token",
       real(GPT2_REAL(sampling.temperature), 0.0, 1e6, "a number from 0 to 1e6", "--temperature")},
      {"--top-p", "X", "share of probability that the sample draws from",
       real(GPT2_REAL(sampling.top_p), 1e-9, 1.0, "a number above 0, up to 1", "--top-p")},
      {"--log", "FILE", "JSON Lines: one object per step, then the hash of all parameters",
       [](Options& o, std::string_view v) { o.log = std::string(v); }},
      {"--checkpoint-dir", "DIR", "saves to DIR/step-N, in the background, at the end and on SIGTERM or SIGINT",
       [](Options& o, std::string_view v) { o.checkpoint_dir = std::string(v); }},
      {"--save-interval", "N", "steps between checkpoints; default: --eval-interval",
       [](Options& o, std::string_view v) { whole(&Options::save_interval, 1, many, "--save-interval")(o, v); }},
      {"--keep", "N", "of the newest checkpoints, and those named latest, best and final; 0: all",
       whole(&Options::keep, 0, 1 << 20, "--keep")},
      {"--resume", "auto|PATH", "the latest of --checkpoint-dir, if there is one, or the checkpoint PATH",
       [](Options& o, std::string_view v) { o.resume = std::string(v); }},
      {"--parameters-only", "", "take no optimizer states, step or data order from the checkpoint to resume",
       [](Options& o, std::string_view) { o.parameters_only = true; }},
      {"--init-from", "FILE",
       "initial parameters: safetensors, or the index.json of several, with Hugging Face's names for GPT-2",
       [](Options& o, std::string_view v) { o.init_from = std::string(v); }},
      {"--save-hf", "DIR", "at the end, a model that Hugging Face's transformers loads",
       [](Options& o, std::string_view v) { o.save_hf = std::string(v); }},
  };
  return table;
}

#undef GPT2_REAL

void check(Options const& o) {
  if (o.width % o.heads != 0) {
    throw UsageError("--width " + std::to_string(o.width) + ": --heads " + std::to_string(o.heads) + " must divide it");
  }
  if (o.min_lr && *o.min_lr > o.lr) throw UsageError("--min-lr: must not be above --lr");
  if (o.warmup && *o.warmup > o.iterations) throw UsageError("--warmup: must not be more than --iterations");
  if (o.reduce == zero::Reduce::once_per_step && o.stage >= zero::Stage::gradients) {
    throw UsageError("--reduce once_per_step: keeps whole gradients: use --stage 0 or 1");
  }
  if (o.delayed_update && !o.offload) throw UsageError("--delayed-update: needs --offload cpu");
  if (!o.checkpoint_dir) {
    if (o.save_interval) throw UsageError("--save-interval: needs --checkpoint-dir");
    if (o.keep > 0) throw UsageError("--keep: needs --checkpoint-dir");
    if (o.resume == "auto") throw UsageError("--resume auto: needs --checkpoint-dir, or name a checkpoint");
  }
  if (o.keep == 1) throw UsageError("--keep 1: expected 0 for all, or at least 2: the only one may be damaged");
  if (o.parameters_only && !o.resume) throw UsageError("--parameters-only: needs --resume");
  if (o.init_from && o.resume && o.resume != "auto") throw UsageError("--init-from: --resume replaces all of it");
  if (o.vocabulary != 0 && !o.data) throw UsageError("--vocab: only a token file needs it: name one with --data");
}

}  // namespace

Options parse_options(std::span<char const* const> arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view const name = arguments[i];
    if (name == "--help" || name == "-h") {
      options.help = true;
      return options;
    }
    Option const* found = nullptr;
    for (auto const& option : options_table()) {
      if (option.name == name) found = &option;
    }
    if (found == nullptr) throw UsageError(std::string(name) + ": unknown option; --help lists them");
    if (found->value.empty()) {
      found->set(options, {});
      continue;
    }
    if (++i == arguments.size()) throw UsageError(std::string(name) + ": needs a value, " + std::string(found->value));
    found->set(options, arguments[i]);
  }
  check(options);
  return options;
}

std::string usage() {
  std::string text = "train_gpt2: trains a GPT-2 on text with ZeRO-sharded AdamW\n\n";
  for (auto const& option : options_table()) {
    std::string const head = "  " + std::string(option.name) + " " + std::string(option.value);
    text += head;
    if (head.size() >= 24) text += '\n';
    text.append(head.size() < 24 ? 24 - head.size() : 24, ' ');
    text += option.help;
    text += '\n';
  }
  return text;
}

double learning_rate(Options const& options, std::uint64_t step) {
  double const lowest = options.min_lr.value_or(options.lr / 10.0);
  std::uint64_t const warmup = options.warmup.value_or(std::min<std::uint64_t>(100, options.iterations / 10));
  if (step < warmup) return options.lr * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  double const done =
      static_cast<double>(step - warmup) / static_cast<double>(std::max<std::uint64_t>(1, options.iterations - warmup));
  return lowest + 0.5 * (1.0 + std::cos(std::numbers::pi * done)) * (options.lr - lowest);
}

}  // namespace gpt2
