// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "options.hpp"

#include "support/gpt2_sizes.hpp"
#include "support/settings.hpp"
#include "training/ending.hpp"
#include "training/option_groups.hpp"

#include <array>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace gpt2 {
namespace {

using command_line::Choices;
using Group = command_line::Group<Options>;
using Settings = command_line::Settings<Options>;

using Groups = training::OptionGroups<Options>;

Group data_group() {
  return {"data",
          {{"--data", "PATH[=WEIGHT,...]",
            "text, or shards of tokens (.bin): a file, a folder, or a pattern such as 'shards/*.bin'; or several of "
            "them, each with its weight: a=0.3,b=0.7",
            Settings::text(&Options::data), "the C++ standard library headers of this machine"},
           {"--val-data", "PATH[,...]",
            "data to validate on, in place of the last tenth of --data: one for all data sets, or one for each",
            Settings::text(&Options::validation_data)},
           {"--continue-with", "PATH[=WEIGHT,...]",
            "in place of --data, for --resume: go on with other data, and keep all of the run but the best validation "
            "and the count of epochs",
            Settings::text(&Options::continue_with)},
           {"--vocab", "N", "size of the vocabulary of a token file",
            Settings::whole(&Options::vocabulary, 1, std::uint64_t{1} << 24),
            "50257; 128256 behind llm.c's header for Llama 3"},
           {"--workers", "N", "threads of each rank that load data; 0: the rank does so itself",
            Settings::whole(&Options::workers, 0, 256),
            "1 for shards, 0 for text, which is in memory, but 1 with --prefetch"},
           {"--prefetch", "N", "micro-batches that the workers of a rank load ahead",
            Settings::whole(&Options::prefetch, 0, 1 << 16)}}};
}

Group model_group() {
  return {"model",
          {{"--model", "NAME", "a GPT-2 by its name, such as gpt2-xl: its layers, heads, width and context",
            Settings::text(&Options::model), "none: --layers, --heads, --width and --context say them"},
           {"--layers", "N", "number of blocks", Settings::whole(&Options::layers, 1, 1024)},
           {"--heads", "N", "attention heads of a block", Settings::whole(&Options::heads, 1, 1024)},
           {"--width", "N", "width of the residual stream; a multiple of the heads",
            Settings::whole(&Options::width, 1, 1 << 16)},
           {"--context", "N", "tokens in a sequence", Settings::whole(&Options::context, 1, 1 << 16)}}};
}

Group training_group() {
  auto group = Groups::training();
  put_behind(group, "--optimizer",
             {"--dropout", "X",
              "share of elements that training drops: of the embeddings, of what attention weighs by, and of what both "
              "parts of a block add",
              Settings::real(&Options::dropout, 0.0, 0.9999999999, "a number in [0, 1)")});
  return group;
}

Group validation_group() {
  return {"validation and sample",
          {{"--eval-interval", "N", "steps between validations", Settings::whole(&Options::eval_interval, 1, many)},
           {"--eval-batches", "N", "micro-batches of a validation, over all ranks",
            Settings::whole(&Options::eval_batches, 1, 1 << 24)},
           {"--eval-train-batches", "N",
            "micro-batches of training data whose loss each validation says too, the same ones every time; 0: none",
            Settings::whole(&Options::eval_train_batches, 0, 1 << 24), "--eval-batches"},
           {"--patience", "N", "end the run after N validations in a row that are no improvement; 0: never",
            Settings::whole(&Options::patience, 0, many)},
           {"--min-delta", "X", "how much lower than the last improvement a validation must be to be one",
            Settings::real(&Options::min_delta, 0.0, largest, up_to_largest)},
           {"--eval-at-start", "[on|off]", "say both losses before the first step, too",
            Settings::flag(&Options::eval_at_start)},
           {"--evaluate", "CHECKPOINT",
            "say the losses of a checkpoint, of any number of ranks, and end: with the seed, precision and batches of "
            "its run, unless others are given; writes nothing",
            Settings::text(&Options::evaluate)},
           {"--sample", "N", "tokens of text to generate at the end; 0: none",
            Settings::whole(&Options::sample, 0, 1 << 20)},
           {"--temperature", "X", "temperature of the sample; 0: always the likeliest token",
            Settings::real(
                [](auto& o) -> auto& { return o.sampling.temperature; }, 0.0, 1e6, "a number from 0 to 1e6")},
           {"--top-p", "X", "share of probability that the sample draws from",
            Settings::real(
                [](auto& o) -> auto& { return o.sampling.top_p; }, 1e-9, 1.0, "a number above 0, up to 1")}}};
}

Group output_group() {
  auto group = Groups::output("train_gpt2");
  group.options.insert(
      group.options.end(),
      {{"--peak-flops", "X",
        "floating-point operations per second that what a rank computes on has at most, such as 312e12, for the MFU",
        Settings::real(&Options::peak_flops, 1.0, 1e30, "a number from 1 to 1e30"),
        "known for GPUs by their names; else no MFU is said"},
       {"--save-hf", "DIR", "at the end, a model that Hugging Face's transformers loads",
        Settings::text(&Options::save_hf)},
       {"--save-hf-best", "DIR", "the same of the best validation so far, whenever there is one",
        Settings::text(&Options::save_hf_best)},
       {"--hf-precision", "fp32|bf16|fp16", "type of the parameters of the models of --save-hf and --save-hf-best",
        Settings::choice(&Options::hf_precision, parameter_types)},
       {"--max-shard-size", "SIZE",
        "models of --save-hf in several files of at most so many bytes of data, and an index: 5G and 5GiB are binary, "
        "5GB is decimal",
        Settings::positive_size(&Options::max_shard_bytes), "one file"}});
  return group;
}

Group checkpoint_group() {
  auto group = Groups::checkpoint();
  group.options.push_back(
      {"--init-from", "PATH",
       "initial parameters and shape of a GPT-2 as Hugging Face has it: its folder, a safetensors file, or the "
       "index.json of several",
       Settings::text(&Options::init_from)});
  return group;
}

/// The shape of the model that --model names.
void take_model(Options& o) {
  if (!o.model) return;
  auto const* const size = command_line::find_gpt2_size(*o.model);
  if (size == nullptr) {
    throw UsageError("--model " + *o.model + ": unknown; the models are " + command_line::gpt2_names());
  }
  auto const take = [&](char const* name, std::size_t& mine, std::size_t of_model) {
    if (o.asked.has(name) && mine != of_model) {
      throw UsageError(std::string(name) + " " + std::to_string(mine) + ": --model " + *o.model + " has " +
                       std::to_string(of_model) + ": leave one of the two out");
    }
    mine = of_model;
  };
  take("--layers", o.layers, size->layers);
  take("--heads", o.heads, size->heads);
  take("--width", o.width, size->width);
  if (!o.asked.has("--context")) o.context = size->context;
}

/// --continue-with is --data for those who read them from here on.
void take_other_data(Options& o) {
  if (!o.continue_with) return;
  if (o.data) throw UsageError("--continue-with: takes the place of --data: leave --data out");
  o.data = o.continue_with;
}

/// What --evaluate leaves something to say to.
constexpr std::array evaluation_options{
    "--evaluate",  "--config",   "--deepspeed", "--data",    "--val-data",     "--workers",
    "--prefetch",  "--vocab",    "--model",     "--layers",  "--heads",        "--width",
    "--context",   "--device",   "--ranks",     "--threads", "--stage",        "--offload",
    "--precision", "--deadline", "--batch",     "--seed",    "--eval-batches", "--eval-train-batches",
    "--recompute"};

void check(Options const& o) {
  training::check_loading(o);
  if (o.evaluate) return training::check_evaluation(o, evaluation_options);
  bool const never = !o.cuda || o.offload || o.dropout > 0.0 || activation_settings(o).inputs_in_host_memory;
  if (never) check_cuda_graph(o, 1);
  // Where the model is somebody else's, its shape is not known yet.
  if (!o.init_from && !o.resume) check_heads(o);
  training::check_training(o);
  training::check_profiling(o);
  training::check_checkpoints(o, o.save_hf || o.save_hf_best, "--save-hf");
  if (o.continue_with && !o.resume) throw UsageError("--continue-with: needs --resume; --data begins a run");
  if (o.continue_with && o.parameters_only) {
    throw UsageError("--continue-with: --parameters-only begins a run anew, with --data: leave one out");
  }
  if (o.min_delta > 0.0 && o.patience == 0) throw UsageError("--min-delta: needs --patience");
  if (o.save_hf && o.save_hf == o.save_hf_best) {
    throw UsageError("--save-hf-best " + *o.save_hf + ": the folder of --save-hf: name another one");
  }
  if (o.max_shard_bytes > 0 && !o.save_hf && !o.save_hf_best) {
    throw UsageError("--max-shard-size: needs --save-hf or --save-hf-best");
  }
  if (o.asked.has("--hf-precision") && !o.save_hf && !o.save_hf_best) {
    throw UsageError("--hf-precision: needs --save-hf or --save-hf-best");
  }
  training::check_saving(o);
  if (o.vocabulary != 0 && !o.data) throw UsageError("--vocab: only a token file needs it: name one with --data");
}

}  // namespace

void check_options(Options& options) {
  training::take_job_name(options);
  check(options);
}

Options parse_options(std::span<char const* const> arguments) {
  return command_line::parsed(command(), arguments, [](Options& options) {
    take_model(options);
    take_other_data(options);
    training::check_configuration(options);
    if (!options.config) check_options(options);  // else it says its part first
  });
}

command_line::Command<Options> const& command() {
  static command_line::Command<Options> const made{
      .name = "train_gpt2",
      .synopsis = "[OPTION...]",
      .what = "Trains a GPT-2 on text, with an optimizer that ZeRO shards over ranks.",
      .groups = {Groups::configuration(), data_group(), model_group(), Groups::place(), training_group(),
                 validation_group(), output_group(), Groups::profiling(), checkpoint_group()},
      .exit_codes = training::exit_codes()};
  return made;
}

ActivationSettings activation_settings(Options const& o) {
  return {.recompute = o.recompute,
          .kept_inputs = o.kept_inputs.value_or(zero::activation::SegmentPlan::all),
          .dropout = o.dropout > 0.0,
          .inputs_in_host_memory = o.recompute == Recompute::block && o.inputs_in_host_memory};
}

void check_heads(Options const& o) {
  if (o.width % o.heads == 0) return;
  throw UsageError("--width " + std::to_string(o.width) + ": --heads " + std::to_string(o.heads) + " must divide it");
}

void check_cuda_graph(Options const& o, int processes) {
  if (!o.cuda_graph) return;
  if (o.dropout > 0.0) {
    throw UsageError("--cuda-graph: --dropout draws anew in each step, which a recorded one cannot: leave one out");
  }
  if (activation_settings(o).inputs_in_host_memory) {
    throw UsageError(
        "--cuda-graph: kept inputs go to host memory beside the step, which cannot be recorded: leave out "
        "activation_checkpointing.cpu_checkpointing, or the option");
  }
  if (!o.cuda) throw UsageError("--cuda-graph: records what GPUs do: use --device cuda, or leave it out");
  if (o.offload) throw UsageError("--cuda-graph: an offloaded step waits on the host: use --offload none");
  if (o.ranks > 1 && processes == 1) {
    throw UsageError(
        "--cuda-graph: ranks that are threads meet on the host, which cannot be recorded: start a process for each "
        "GPU, "
        "by torchrun, mpirun or srun");
  }
}

std::size_t train_batches(Options const& o) { return o.eval_train_batches.value_or(o.eval_batches); }

NamedOptions run_options(Options const& options) {
  constexpr std::array own{"--layers", "--heads", "--width", "--context", "--eval-batches", "--eval-train-batches",
                           "--dropout"};
  auto named = training::named_options(command(), options, own);
  named["--eval-train-batches"] = std::to_string(train_batches(options));
  return named;
}

}  // namespace gpt2
