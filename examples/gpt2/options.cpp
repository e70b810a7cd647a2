// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "options.hpp"

#include "support/command_line.hpp"

#include <zero/checkpoint/detail/names.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace gpt2 {
namespace {

using command_line::Choices;
using View = std::string_view;

template <class Number>
auto whole(Number Options::*member, std::uint64_t least, std::uint64_t most) {
  return [=](Options& options, View name, View value) {
    options.*member = static_cast<Number>(command_line::whole(name, value, least, most));
  };
}

template <class Member>
auto real(Member member, double least, double most, View expected) {
  return [=](Options& options, View name, View value) {
    member(options) = command_line::real(name, value, least, most, expected);
  };
}

template <class Value, std::size_t N>
auto choice(Value Options::*member, Choices<Value, N> const& choices) {
  return [=](Options& options, View name, View value) { options.*member = command_line::choice(name, value, choices); };
}

auto text(std::optional<std::string> Options::*member) {
  return [=](Options& options, View, View value) { options.*member = std::string(value); };
}

auto flag(bool Options::*member) {
  return [=](Options& options, View, View) { options.*member = true; };
}

constexpr std::uint64_t many = 1ULL << 40;
constexpr double huge = std::numeric_limits<double>::max();

#define GPT2_REAL(member) \
  [](Options & o) -> auto& { return o.member; }

// The order is that of --help.
command_line::Table<Options> const& options_table() {
  using zero::ElementType, zero::Reduce, zero::Stage;
  static command_line::Table<Options> const table{
      {"--data", "FILE", "text, or tokens in a .bin file; default: the C++ standard library headers of this machine",
       text(&Options::data)},
      {"--vocab", "N", "size of the vocabulary of a token file; default: 50257", whole(&Options::vocabulary, 1, 65536)},
      {"--device", "cpu|cuda", "where ranks compute; cuda: rank r on GPU r modulo their number",
       choice(&Options::cuda, Choices<bool, 2>{{{"cpu", false}, {"cuda", true}}})},
      {"--ranks", "N", "ranks, as threads of this process; of a launcher's processes each is one",
       whole(&Options::ranks, 1, 256)},
      {"--threads", "N", "threads per rank; default: the cores divided by the ranks",
       whole(&Options::threads, 1, 1024)},
      {"--stage", "0|1|2|3", "what ZeRO shards: nothing, optimizer states, and gradients, and parameters",
       choice(&Options::stage, Choices<Stage, 4>{{{"0", Stage::none},
                                                  {"1", Stage::optimizer_states},
                                                  {"2", Stage::gradients},
                                                  {"3", Stage::parameters}}})},
      {"--precision", "fp32|bf16|fp16", "of parameters and gradients; fp16 scales the loss dynamically",
       choice(&Options::precision,
              Choices<ElementType, 3>{
                  {{"fp32", ElementType::fp32}, {"bf16", ElementType::bf16}, {"fp16", ElementType::fp16}}})},
      {"--offload", "none|cpu", "where optimizer states live",
       choice(&Options::offload, Choices<bool, 2>{{{"none", false}, {"cpu", true}}})},
      {"--delayed-update", "", "update offloaded states beside the next step's passes, a step late; changes results",
       flag(&Options::delayed_update)},
      {"--layers", "N", "blocks", whole(&Options::layers, 1, 1024)},
      {"--heads", "N", "attention heads", whole(&Options::heads, 1, 1024)},
      {"--width", "N", "of the residual stream; a multiple of the heads", whole(&Options::width, 1, 1 << 16)},
      {"--context", "N", "tokens in a sequence", whole(&Options::context, 1, 1 << 16)},
      {"--batch", "N", "sequences per rank and micro-batch", whole(&Options::batch, 1, 1 << 16)},
      {"--accumulate", "N", "micro-batches per rank and step", whole(&Options::accumulate, 1, 1 << 20)},
      {"--reduce", "each_micro_batch|once_per_step", "when gradients are summed over ranks; default: by the stage",
       choice(&Options::reduce, Choices<std::optional<Reduce>, 2>{{{"each_micro_batch", Reduce::each_micro_batch},
                                                                   {"once_per_step", Reduce::once_per_step}}})},
      {"--iterations", "N", "steps", whole(&Options::iterations, 1, many)},
      {"--lr", "X", "largest learning rate", real(GPT2_REAL(lr), 0.0, huge, "a number that is not negative")},
      {"--min-lr", "X", "learning rate at the end; default: a tenth of --lr",
       real(GPT2_REAL(min_lr.emplace()), 0.0, huge, "a number that is not negative")},
      {"--warmup", "N", "steps of linear warm-up; default: 100, or a tenth of a shorter run",
       whole(&Options::warmup, 0, many)},
      {"--weight-decay", "X", "of matrices", real(GPT2_REAL(weight_decay), 0.0, huge, "a number that is not negative")},
      {"--beta2", "X", "AdamW's decay of squared gradients",
       real(GPT2_REAL(beta2), 0.0, 0.9999999999, "a number in [0, 1)")},
      {"--clip", "X", "largest norm of the gradient; 0: no clipping",
       real(GPT2_REAL(clip), 0.0, huge, "a number that is not negative")},
      {"--eval-interval", "N", "steps between validations", whole(&Options::eval_interval, 1, many)},
      {"--eval-batches", "N", "micro-batches of a validation, over all ranks",
       whole(&Options::eval_batches, 1, 1 << 24)},
      {"--seed", "N", "of initial values, data order and sample",
       whole(&Options::seed, 0, std::numeric_limits<std::uint64_t>::max())},
      {"--sample", "N", "tokens of text to generate at the end; 0: none", whole(&Options::sample, 0, 1 << 20)},
      {"--temperature", "X", "of the sample; 0: always the likeliest token",
       real(GPT2_REAL(sampling.temperature), 0.0, 1e6, "a number from 0 to 1e6")},
      {"--top-p", "X", "share of probability that the sample draws from",
       real(GPT2_REAL(sampling.top_p), 1e-9, 1.0, "a number above 0, up to 1")},
      {"--log", "FILE", "JSON Lines: one object per step, then the hash of all parameters", text(&Options::log)},
      {"--checkpoint-dir", "DIR", "saves to DIR/step-N, in the background, at the end and on SIGTERM or SIGINT",
       text(&Options::checkpoint_dir)},
      {"--save-interval", "N", "steps between checkpoints; default: --eval-interval",
       whole(&Options::save_interval, 1, many)},
      {"--save", "interval|best",
       "interval: each --save-interval steps, and when a validation is the best so far; best: then only, and at the "
       "end",
       choice(&Options::saves_best_only, Choices<bool, 2>{{{"interval", false}, {"best", true}}})},
      {"--tag", "NAME", "checkpoints are DIR/NAME-N; default: step",
       [](Options& o, View, View value) { o.tag = std::string(value); }},
      {"--overwrite", "", "take --checkpoint-dir and --save-hf from what is there: it goes when the first save is done",
       flag(&Options::overwrite)},
      {"--keep", "N", "of the newest checkpoints, and those named latest, best and final; 0: all",
       whole(&Options::keep, 0, 1 << 20)},
      {"--resume", "auto|PATH", "the latest of --checkpoint-dir, if there is one, or the checkpoint PATH",
       text(&Options::resume)},
      {"--parameters-only", "", "take no optimizer states, step or data order from the checkpoint to resume",
       flag(&Options::parameters_only)},
      {"--new-optimizer", "", "take step and data order from the checkpoint to resume, but no optimizer states",
       flag(&Options::new_optimizer)},
      {"--init-from", "FILE",
       "initial parameters: safetensors, or the index.json of several, with Hugging Face's names for GPT-2",
       text(&Options::init_from)},
      {"--save-hf", "DIR", "at the end, a model that Hugging Face's transformers loads", text(&Options::save_hf)},
  };
  return table;
}

#undef GPT2_REAL

void check_tag_prefix(std::string const& tag) {
  bool const is_valid = !tag.empty() && tag.size() <= 100 && zero::detail::is_safe_name(tag);
  if (!is_valid) throw UsageError("--tag " + tag + ": expected letters, digits, '.', '_' and '-', at most 100");
}

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
    if (o.saves_best_only) throw UsageError("--save best: needs --checkpoint-dir");
    if (o.overwrite && !o.save_hf) throw UsageError("--overwrite: needs --checkpoint-dir or --save-hf");
    if (o.resume == "auto") throw UsageError("--resume auto: needs --checkpoint-dir, or name a checkpoint");
  }
  if (o.keep == 1) throw UsageError("--keep 1: expected 0 for all, or at least 2: the only one may be damaged");
  if (o.parameters_only && !o.resume) throw UsageError("--parameters-only: needs --resume");
  if (o.new_optimizer && !o.resume) throw UsageError("--new-optimizer: needs --resume");
  if (o.new_optimizer && o.parameters_only) {
    throw UsageError("--new-optimizer: keeps step and data order, which --parameters-only does not: leave one out");
  }
  if (o.overwrite && o.resume == "auto" && !o.parameters_only && !o.new_optimizer) {
    throw UsageError("--overwrite: starts anew, --resume auto goes on: leave one out");
  }
  if (o.saves_best_only && o.save_interval) throw UsageError("--save best: saves at no interval: leave one out");
  check_tag_prefix(o.tag);
  if (o.init_from && o.resume && o.resume != "auto") throw UsageError("--init-from: --resume replaces all of it");
  if (o.vocabulary != 0 && !o.data) throw UsageError("--vocab: only a token file needs it: name one with --data");
}

}  // namespace

Options parse_options(std::span<char const* const> arguments) {
  Options options;
  command_line::parse(arguments, {&options_table()}, options);
  if (!options.help) check(options);
  return options;
}

std::string usage() {
  return "train_gpt2: trains a GPT-2 on text with ZeRO-sharded AdamW\n\n" + command_line::describe(options_table(), 24);
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
