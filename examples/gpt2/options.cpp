// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "options.hpp"

#include "support/gpt2_sizes.hpp"
#include "support/settings.hpp"

#include <algorithm>
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

constexpr std::uint64_t many = 1ULL << 40;
constexpr double largest = 1e30;  // above every rate, decay or threshold that anybody can mean
constexpr char const* scale_range = "0, or a scale from 1e-30 to 1e38";
constexpr char const* up_to_largest = "a number from 0 to 1e30";
constexpr Choices<zero::ElementType, 3> parameter_types{
    {{"fp32", zero::ElementType::fp32}, {"bf16", zero::ElementType::bf16}, {"fp16", zero::ElementType::fp16}}};

// The order of groups and options is that of --help.
Group configuration_group() {
  return {"configuration",
          {{.name = "--config",
            .value = "FILE",
            .help = "a configuration of DeepSpeed's; options given beside it win",
            .setting = Settings::text(&Options::config),
            .usual = "none",
            .alias = "--deepspeed_config"},
           {"--deepspeed", "", "may stand beside --config, as it does elsewhere", Settings::flag(&Options::deepspeed)},
           {"--dry-run", "", "read and check all that the run is given, say what it would be, and end: writes nothing",
            Settings::flag(&Options::dry_run)}}};
}

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

Group place_group() {
  using zero::Reduce, zero::Stage;
  return {
      "where it runs",
      {{"--device", "cpu|cuda", "where ranks compute; cuda: rank r on GPU r modulo their number",
        Settings::choice(&Options::cuda, Choices<bool, 2>{{{"cpu", false}, {"cuda", true}}})},
       {"--cuda-graph", "[on|off]",
        "record a step once and launch it as a whole from then on, with the same bits; of one rank, or of ranks in "
        "processes",
        Settings::flag(&Options::cuda_graph)},
       {"--ranks", "N", "ranks, as threads of this process; of a launcher's processes each is one",
        Settings::whole(&Options::ranks, 1, 256)},
       {"--threads", "N", "threads of a rank", Settings::whole(&Options::threads, 1, 1024),
        "the cores divided by the ranks"},
       {"--deadline", "SECONDS",
        "how long a rank waits for the others, at the start, in each collective and while one of them saves, before "
        "the run ends and says which one is missing",
        Settings::real(&Options::deadline, 0.001, 1e6, "a number of seconds from 0.001 to 1e6")},
       {"--stage", "0|1|2|3", "what ZeRO shards: nothing; optimizer states; gradients, too; parameters, too",
        Settings::choice(&Options::stage, Choices<Stage, 4>{{{"0", Stage::none},
                                                             {"1", Stage::optimizer_states},
                                                             {"2", Stage::gradients},
                                                             {"3", Stage::parameters}}})},
       {"--precision", "fp32|bf16|fp16", "type of parameters and gradients; fp16 scales the loss dynamically",
        Settings::choice(&Options::precision, parameter_types)},
       {"--offload", "none|cpu", "where optimizer states live",
        Settings::choice(&Options::offload, Choices<bool, 2>{{{"none", false}, {"cpu", true}}})},
       {"--delayed-update", "[on|off]",
        "update offloaded states beside the next step's passes, a step late; changes results",
        Settings::flag(&Options::delayed_update)},
       {"--recompute", "none|selective|block",
        "what the backward pass computes again, so that less is kept of the forward pass: nothing; attention; whole "
        "blocks, from their inputs; with the same bits",
        Settings::choice(&Options::recompute, Choices<Recompute, 3>{{{"none", Recompute::none},
                                                                     {"selective", Recompute::selective},
                                                                     {"block", Recompute::block}}})},
       {"--reduce", "each_micro_batch|once_per_step", "when gradients are summed over ranks",
        Settings::choice(&Options::reduce,
                         Choices<std::optional<Reduce>, 2>{{{"each_micro_batch", Reduce::each_micro_batch},
                                                            {"once_per_step", Reduce::once_per_step}}}),
        "by the stage"}}};
}

Group training_group() {
  using zero::schedule::SkippedStep;
  return {"training",
          {{"--iterations", "N", "number of steps", Settings::whole(&Options::iterations, 1, many)},
           {"--batch", "N", "sequences of a micro-batch, on each rank", Settings::whole(&Options::batch, 1, 1 << 16)},
           {"--accumulate", "N", "micro-batches of a step, on each rank",
            Settings::whole(&Options::accumulate, 1, 1 << 20)},
           {"--micro-batches", "N",
            "micro-batches of a step of all ranks, in place of --accumulate: the result depends on their number, and "
            "not on that of the ranks, which need not divide it",
            Settings::whole(&Options::micro_batches, 1, 1 << 30)},
           {"--allow-idle-ranks", "[on|off]", "more ranks than --micro-batches: the last ones hold states only",
            Settings::flag(&Options::allow_idle_ranks)},
           {"--lr", "X", "largest learning rate", Settings::real(&Options::lr, 0.0, largest, up_to_largest)},
           {"--min-lr", "X", "learning rate at the end", Settings::real(&Options::min_lr, 0.0, largest, up_to_largest),
            "a tenth of --lr"},
           {"--warmup", "N", "steps of linear warm-up", Settings::whole(&Options::warmup, 0, many),
            "100, or a tenth of a shorter run"},
           {"--schedule", "cosine|linear|constant|wsd",
            "how the learning rate falls after warm-up: in half a cosine; in a line; not at all; at the end only, in a "
            "line",
            Settings::choice(&Options::shape, Choices<ScheduleChoice, 4>{{{"cosine", ScheduleChoice::cosine},
                                                                          {"linear", ScheduleChoice::linear},
                                                                          {"constant", ScheduleChoice::constant},
                                                                          {"wsd", ScheduleChoice::wsd}}})},
           {"--decay", "N", "steps in which it falls at the end, with --schedule wsd",
            Settings::whole(&Options::decay, 0, many), "a fifth of the run"},
           {"--skipped-step", "hold|advance",
            "whether the learning rate waits where a step is skipped, because a gradient is not finite, or goes on",
            Settings::choice(&Options::skipped_step,
                             Choices<SkippedStep, 2>{{{"hold", SkippedStep::hold}, {"advance", SkippedStep::advance}}}),
            "advance; hold with a file's scheduler"},
           {"--optimizer", "adamw|adam|sgd|lion|adagrad", "the rule that updates parameters; adam decays by L2",
            Settings::choice(&Options::optimizer, Choices<RuleName, 5>{{{"adamw", RuleName::adamw},
                                                                        {"adam", RuleName::adam},
                                                                        {"sgd", RuleName::sgd},
                                                                        {"lion", RuleName::lion},
                                                                        {"adagrad", RuleName::adagrad}}})},
           {"--dropout", "X",
            "share of elements that training drops: of the embeddings, of what attention weighs by, and of what both "
            "parts of a block add",
            Settings::real(&Options::dropout, 0.0, 0.9999999999, "a number in [0, 1)")},
           {"--weight-decay", "X", "weight decay, of matrices only",
            Settings::real(&Options::weight_decay, 0.0, largest, up_to_largest)},
           {"--beta2", "X", "AdamW's and Adam's decay of squared gradients, Lion's of the average",
            Settings::real(&Options::beta2, 0.0, 0.9999999999, "a number in [0, 1)")},
           {"--momentum", "X", "decay of the buffer, with --optimizer sgd",
            Settings::real(&Options::momentum, 0.0, 0.9999999999, "a number in [0, 1)")},
           {"--loss-scale", "X", "what the loss of fp16 is multiplied with; 0: it is found as the run goes",
            Settings::real(&Options::loss_scale, 0.0, 1e38, scale_range), "0"},
           {"--clip", "X", "largest norm of the gradient; 0: no clipping",
            Settings::real(&Options::clip, 0.0, largest, up_to_largest)},
           {"--max-skips", "N", "end the run after N steps in a row whose gradients are not finite; 0: never",
            Settings::whole(&Options::max_skips, 0, many)},
           {"--seed", "N", "seed of initial values, data order and sample",
            Settings::whole(&Options::seed, 0, std::numeric_limits<std::uint64_t>::max())}}};
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

/// The folder of a monitor, whose job is called as the program unless somebody names it.
command_line::Setting<Options> monitor(std::optional<zero::monitor::CurveFolder> Options::*at) {
  return {[=](Options& options, std::string_view, std::string_view value) {
            if (!(options.*at)) (options.*at).emplace().job_name = "train_gpt2";
            (options.*at)->output_path = std::string(value);
          },
          [=](Options const& options) { return options.*at ? (options.*at)->output_path : std::string(); }};
}

Group output_group() {
  return {
      "what is written",
      {{"--log", "FILE", "JSON Lines: one object per step, then the hash of all parameters",
        Settings::text(&Options::log)},
       {"--tensorboard", "DIR", "curves for TensorBoard, in DIR/NAME", monitor(&Options::tensorboard)},
       {"--csv", "DIR", "curves as DeepSpeed's csv_monitor writes them, in DIR/NAME", monitor(&Options::csv)},
       {"--json-lines", "DIR", "curves as JSON Lines, in DIR/NAME/metrics.jsonl", monitor(&Options::json_lines)},
       {"--job-name", "NAME", "NAME of the folder that curves are in", Settings::text(&Options::job_name),
        "train_gpt2"},
       {"--log-interval", "N", "steps between lines on standard output",
        Settings::whole(&Options::log_interval, 1, many),
        "on a terminal those of validations; else a twentieth of the run, 1000 at most"},
       {"--peak-flops", "X",
        "floating-point operations per second that what a rank computes on has at most, such as 312e12, for the MFU",
        Settings::real(&Options::peak_flops, 1.0, 1e30, "a number from 1 to 1e30"),
        "known for GPUs by their names; else no MFU is said"},
       {"--save-hf", "DIR", "at the end, a model that Hugging Face's transformers loads",
        Settings::text(&Options::save_hf)},
       {"--save-hf-best", "DIR", "the same of the best validation so far, whenever there is one",
        Settings::text(&Options::save_hf_best)},
       {"--hf-precision", "fp32|bf16|fp16", "type of the parameters of the models of --save-hf and --save-hf-best",
        Settings::choice(&Options::hf_precision, parameter_types)},
       {"--max-shard-size",
        "SIZE",
        "models of --save-hf in several files of at most so many bytes of data, and an index: 5G and 5GiB are binary, "
        "5GB is decimal",
        {[](Options& o, std::string_view name, std::string_view value) {
          o.max_shard_bytes = command_line::size_of(name, value);
          if (o.max_shard_bytes == 0) command_line::reject(name, value, "at least one byte");
        }},
        "one file"}}};
}

/// FROM:TO, or the number of one step.
void set_profile(Options& o, std::string_view name, std::string_view value) {
  auto const colon = value.find(':');
  auto const number = [&](std::string_view part) {
    std::string const expected = "FROM:TO, two numbers of steps from 1 on, such as 10:12";
    auto const parsed = command_line::parse_number<std::uint64_t>(name, part, expected);
    if (parsed < 1 || parsed > many) command_line::reject(name, value, expected);
    return parsed;
  };
  StepRange steps;
  steps.first = number(value.substr(0, colon));
  steps.last = colon == std::string_view::npos ? steps.first : number(value.substr(colon + 1));
  if (steps.last < steps.first) {
    throw UsageError(std::string(name) + " " + std::string(value) + ": the last step comes before the first one");
  }
  o.profile = steps;
}
std::string profile_of(Options const& o) {
  return o.profile ? std::to_string(o.profile->first) + ":" + std::to_string(o.profile->last) : std::string();
}

Group profiling_group() {
  return {"time and memory",
          {{"--wall-clock-breakdown", "[on|off]",
            "with each line that stays, where the time of its steps went on rank 0: exposed by phase, and busy",
            Settings::flag(&Options::wall_clock_breakdown)},
           {"--profile",
            "FROM:TO",
            "a trace of steps FROM to TO of all ranks, for ui.perfetto.dev",
            {set_profile, profile_of}},
           {"--profile-file", "FILE", "where --profile writes to", Settings::text(&Options::profile_file),
            "profile.json in --checkpoint-dir, or here"},
           {"--comms-log", "[on|off]", "at the end, times and bandwidths of collectives by operation and size",
            Settings::flag(&Options::comms_log)},
           {"--memory-breakdown", "[on|off]",
            "lines of what the engine, the process and the device hold, at points of the run",
            Settings::flag(&Options::memory_breakdown)},
           {"--nvtx", "[on|off]", "ranges around the parts of a step, for Nsight Systems; needs --device cuda",
            Settings::flag(&Options::nvtx)}}};
}

void check_profiling(Options const& o) {
  if (o.nvtx && !o.cuda) throw UsageError("--nvtx: needs --device cuda");
  if (o.profile_file && !o.profile) throw UsageError("--profile-file: needs --profile");
  if (o.profile && o.profile->first > o.iterations) {
    throw UsageError("--profile " + profile_of(o) + ": the run has " + std::to_string(o.iterations) + " steps");
  }
  if (!o.profile_file) return;
  std::filesystem::path const file(*o.profile_file);
  std::error_code error;
  bool const fits = std::filesystem::is_directory(file.has_parent_path() ? file.parent_path() : ".", error) &&
                    !std::filesystem::is_directory(file, error);
  if (!fits) {
    throw UsageError("--profile-file " + *o.profile_file + ": cannot be written: name a file in a folder that exists");
  }
}

Group checkpoint_group() {
  return {"checkpoints",
          {{"--checkpoint-dir", "DIR",
            "saves to DIR/step-N, in the background, at the end and on SIGTERM, SIGINT or SIGUSR1",
            Settings::text(&Options::checkpoint_dir)},
           {"--save-interval", "N", "steps between checkpoints", Settings::whole(&Options::save_interval, 1, many),
            "--eval-interval"},
           {"--save", "interval|best",
            "interval: each --save-interval steps, and when a validation is the best so far; best: then only, and at "
            "the end",
            Settings::choice(&Options::saves_best_only, Choices<bool, 2>{{{"interval", false}, {"best", true}}})},
           {"--tag",
            "NAME",
            "checkpoints are DIR/NAME-N",
            {[](Options& o, std::string_view, std::string_view value) { o.tag = std::string(value); },
             [](Options const& o) { return o.tag; }}},
           {"--client-state", "FILE", "JSON of your own, which each checkpoint holds; zero-inspect shows it",
            Settings::text(&Options::client_state), "that of the checkpoint to resume"},
           {"--overwrite", "",
            "take --checkpoint-dir and --save-hf from what is there: it goes when the first save is done; curves of "
            "another run go at once",
            Settings::flag(&Options::overwrite)},
           {"--keep", "N", "keep the newest N checkpoints, and those named latest, best and final; 0: all",
            Settings::whole(&Options::keep, 0, 1 << 20)},
           {"--resume", "auto|PATH", "go on from the latest of --checkpoint-dir, if there is one, or from PATH",
            Settings::text(&Options::resume)},
           {"--parameters-only", "", "take no optimizer states, step or data order from what is resumed",
            Settings::flag(&Options::parameters_only)},
           {"--new-schedule", "",
            "take all from the checkpoint to resume, but begin the schedule of the learning rate anew there, for the "
            "steps that are left",
            Settings::flag(&Options::new_schedule)},
           {"--new-optimizer", "", "take step and data order from the checkpoint to resume, but no optimizer states",
            Settings::flag(&Options::new_optimizer)},
           {"--init-from", "PATH",
            "initial parameters and shape of a GPT-2 as Hugging Face has it: its folder, a safetensors file, or the "
            "index.json of several",
            Settings::text(&Options::init_from)}}};
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

void check_tag_prefix(std::string const& tag) {
  constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
  bool const is_valid = !tag.empty() && tag.size() <= 100 && tag.find_first_not_of(allowed) == std::string::npos &&
                        std::string_view("._-").find(tag.front()) == std::string_view::npos;
  if (!is_valid) throw UsageError("--tag " + tag + ": expected letters, digits, '.', '_' and '-', at most 100");
}

/// What --evaluate leaves something to say to.
constexpr std::array evaluation_options{
    "--evaluate",  "--config",   "--deepspeed", "--data",    "--val-data",     "--workers",
    "--prefetch",  "--vocab",    "--model",     "--layers",  "--heads",        "--width",
    "--context",   "--device",   "--ranks",     "--threads", "--stage",        "--offload",
    "--precision", "--deadline", "--batch",     "--seed",    "--eval-batches", "--eval-train-batches",
    "--recompute"};

void check_evaluation(Options const& o) {
  for (auto const& [name, value] : o.asked.given) {
    if (std::find(evaluation_options.begin(), evaluation_options.end(), name) == evaluation_options.end()) {
      throw UsageError(name + ": --evaluate trains nothing and writes nothing: leave one of the two out");
    }
  }
}

void take_job_name(Options& o) {
  if (!o.job_name) return;
  if (!o.tensorboard && !o.csv && !o.json_lines) {
    throw UsageError("--job-name: names a folder of curves: needs --tensorboard, --csv or --json-lines");
  }
  if (o.tensorboard) o.tensorboard->job_name = *o.job_name;
  if (o.csv) o.csv->job_name = *o.job_name;
  if (o.json_lines) o.json_lines->job_name = *o.job_name;
}

void check(Options const& o) {
  if (o.workers == std::size_t{0} && o.prefetch > 0 && o.asked.has("--prefetch")) {
    throw UsageError("--prefetch " + std::to_string(o.prefetch) +
                     ": nothing is loaded ahead with --workers 0: leave it out, or give at least one worker");
  }
  if (o.evaluate) return check_evaluation(o);
  bool const never = !o.cuda || o.offload || o.dropout > 0.0 || activation_settings(o).inputs_in_host_memory;
  if (never) check_cuda_graph(o, 1);
  // Where the model is somebody else's, its shape is not known yet.
  if (!o.init_from && !o.resume) check_heads(o);
  if (o.min_lr && *o.min_lr > o.lr) throw UsageError("--min-lr: must not be above --lr");
  if (o.warmup && *o.warmup > o.iterations) throw UsageError("--warmup: must not be more than --iterations");
  if (o.min_lr && o.shape == ScheduleChoice::constant) {
    throw UsageError("--min-lr: the learning rate of --schedule constant stays --lr: leave one of them out");
  }
  if (o.decay && o.shape != ScheduleChoice::wsd) throw UsageError("--decay: needs --schedule wsd");
  if (o.decay && *o.decay > o.iterations - warmup_steps(o)) {
    throw UsageError("--decay: must not be more than the --iterations after --warmup");
  }
  if (o.reduce == zero::Reduce::once_per_step && o.stage >= zero::Stage::gradients) {
    throw UsageError("--reduce once_per_step: keeps whole gradients: use --stage 0 or 1");
  }
  if (o.micro_batches && o.asked.has("--accumulate")) {
    throw UsageError("--micro-batches counts those of all ranks, --accumulate those of each: give one of them");
  }
  if (o.asked.has("--momentum") && o.optimizer != RuleName::sgd) {
    throw UsageError("--momentum: needs --optimizer sgd");
  }
  if (o.asked.has("--beta2") && (o.optimizer == RuleName::sgd || o.optimizer == RuleName::adagrad)) {
    throw UsageError("--beta2: SGD and Adagrad have none: leave it out, or use another --optimizer");
  }
  if (o.asked.has("--loss-scale") && o.precision != zero::ElementType::fp16) {
    throw UsageError("--loss-scale: needs --precision fp16");
  }
  if (o.loss_scale && *o.loss_scale > 0.0 && *o.loss_scale < 1e-30) {
    command_line::reject("--loss-scale", o.asked.given.at("--loss-scale"), scale_range);
  }
  if (o.delayed_update && !o.offload) throw UsageError("--delayed-update: needs --offload cpu");
  check_profiling(o);
  if (!o.checkpoint_dir) {
    if (o.saves_best_only) throw UsageError("--save best: needs --checkpoint-dir");
    bool const writes = o.save_hf || o.save_hf_best || o.tensorboard || o.csv || o.json_lines;
    if (o.overwrite && !writes) {
      throw UsageError("--overwrite: needs --checkpoint-dir, --save-hf, --tensorboard, --csv or --json-lines");
    }
    if (o.save_interval) throw UsageError("--save-interval: needs --checkpoint-dir");
    if (o.client_state) throw UsageError("--client-state: needs --checkpoint-dir");
    if (o.keep > 0) throw UsageError("--keep: needs --checkpoint-dir");
    if (o.resume == "auto") throw UsageError("--resume auto: needs --checkpoint-dir, or name a checkpoint");
  }
  if (o.keep == 1) throw UsageError("--keep 1: expected 0 for all, or at least 2: the only one may be damaged");
  if (o.parameters_only && !o.resume) throw UsageError("--parameters-only: needs --resume");
  if (o.new_optimizer && !o.resume) throw UsageError("--new-optimizer: needs --resume");
  if (o.new_optimizer && o.parameters_only) {
    throw UsageError("--new-optimizer: keeps step and data order, which --parameters-only does not: leave one out");
  }
  if (o.new_schedule && !o.resume) throw UsageError("--new-schedule: needs --resume");
  if (o.new_schedule && o.parameters_only) {
    throw UsageError("--new-schedule: --parameters-only begins a run, and a schedule, anew: leave one out");
  }
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
  if (o.overwrite && o.resume == "auto" && !o.parameters_only && !o.new_optimizer && !o.new_schedule) {
    throw UsageError("--overwrite: starts anew, --resume auto goes on: leave one out");
  }
  if (o.saves_best_only && o.save_interval) throw UsageError("--save best: saves at no interval: leave one out");
  check_tag_prefix(o.tag);
  if (o.init_from && o.resume && o.resume != "auto") throw UsageError("--init-from: --resume replaces all of it");
  if (o.vocabulary != 0 && !o.data) throw UsageError("--vocab: only a token file needs it: name one with --data");
}

}  // namespace

void check_options(Options& options) {
  take_job_name(options);
  check(options);
}

Options parse_options(std::span<char const* const> arguments) {
  Options options;
  command_line::parse(command(), arguments, options);
  if (options.asked.help || options.asked.version) return options;
  take_model(options);
  take_other_data(options);
  if (options.deepspeed && !options.config) throw UsageError("--deepspeed: needs --config FILE");
  if (!options.config) check_options(options);  // else it says its part first
  return options;
}

command_line::Command<Options> const& command() {
  using command_line::ExitCode;
  static command_line::Command<Options> const made{
      .name = "train_gpt2",
      .synopsis = "[OPTION...]",
      .what = "Trains a GPT-2 on text, with an optimizer that ZeRO shards over ranks.",
      .groups = {configuration_group(), data_group(), model_group(), place_group(), training_group(),
                 validation_group(), output_group(), profiling_group(), checkpoint_group()},
      .exit_codes = {ExitCode::done, ExitCode::failed, ExitCode::usage, ExitCode::stopped, ExitCode::data,
                     ExitCode::damaged, ExitCode::diverged}};
  return made;
}

ActivationSettings activation_settings(Options const& o) {
  return {.recompute = o.recompute,
          .kept_inputs = o.kept_inputs.value_or(zero::activation::SegmentPlan::all),
          .dropout = o.dropout > 0.0,
          .inputs_in_host_memory = o.recompute == Recompute::block && o.inputs_in_host_memory};
}

std::chrono::nanoseconds deadline(Options const& o) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(o.deadline));
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

void check_micro_batches(Options const& o) {
  if (!o.micro_batches) {
    if (o.allow_idle_ranks) {
      throw UsageError(
          "--allow-idle-ranks: every rank has micro-batches unless --micro-batches says how many there are");
    }
    return;
  }
  if (*o.micro_batches >= o.ranks || o.allow_idle_ranks) return;
  throw UsageError("--micro-batches " + std::to_string(*o.micro_batches) + ": fewer than the " +
                   std::to_string(o.ranks) +
                   " ranks: take fewer ranks, or --allow-idle-ranks, where the last ones hold states only");
}

std::size_t train_batches(Options const& o) { return o.eval_train_batches.value_or(o.eval_batches); }

std::uint64_t global_micro_batches(Options const& o) {
  return o.micro_batches ? static_cast<std::uint64_t>(*o.micro_batches)
                         : static_cast<std::uint64_t>(o.accumulate) * static_cast<std::uint64_t>(o.ranks);
}

std::size_t micro_batch_rounds(Options const& o) {
  auto const ranks = static_cast<std::size_t>(o.ranks);
  return (static_cast<std::size_t>(global_micro_batches(o)) + ranks - 1) / ranks;
}

double lowest_learning_rate(Options const& options) { return options.min_lr.value_or(options.lr / 10.0); }

std::string option_of_another_run(Options const& options) {
  if (!options.resume) return {};
  if (options.parameters_only) return "--parameters-only";
  if (options.new_optimizer) return "--new-optimizer";
  return options.new_schedule ? "--new-schedule" : "";
}

std::uint64_t warmup_steps(Options const& options) {
  return options.warmup.value_or(std::min<std::uint64_t>(100, options.iterations / 10));
}

std::uint64_t decay_steps(Options const& options) {
  return options.decay.value_or(std::min(options.iterations / 5, options.iterations - warmup_steps(options)));
}

zero::schedule::Schedule schedule_of(Options const& options) {
  namespace schedule = zero::schedule;
  if (options.schedule) return *options.schedule;
  double const lr = options.lr, least = lowest_learning_rate(options);
  std::uint64_t const warmup = warmup_steps(options), total = options.iterations;
  switch (options.shape) {
    case ScheduleChoice::constant:
      return schedule::Constant({.lr = lr, .warmup_steps = warmup});
    case ScheduleChoice::linear:
      return schedule::Linear({.lr = lr, .min_lr = least, .warmup_steps = warmup, .total_steps = total});
    case ScheduleChoice::wsd:
      return schedule::WarmupStableDecay({.lr = lr,
                                          .min_lr = least,
                                          .warmup_steps = warmup,
                                          .decay_steps = decay_steps(options),
                                          .total_steps = total});
    case ScheduleChoice::cosine:
      break;
  }
  return schedule::Cosine({.lr = lr, .min_lr = least, .warmup_steps = warmup, .total_steps = total});
}

}  // namespace gpt2
