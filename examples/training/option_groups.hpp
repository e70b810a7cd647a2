// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/command_line.hpp"
#include "support/settings.hpp"
#include "training/options.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace training {

/// \name Ranges that options of several programs have.
/// @{
inline constexpr std::uint64_t many = 1ULL << 40;
inline constexpr double largest = 1e30;  // above every rate, decay or threshold that anybody can mean
inline constexpr char const* scale_range = "0, or a scale from 1e-30 to 1e38";
inline constexpr char const* up_to_largest = "a number from 0 to 1e30";
inline constexpr command_line::Choices<zero::ElementType, 3> parameter_types{
    {{"fp32", zero::ElementType::fp32}, {"bf16", zero::ElementType::bf16}, {"fp16", zero::ElementType::fp16}}};
/// @}

/// FROM:TO, or the number of one step.
inline void set_profile(CommonOptions& o, std::string_view name, std::string_view value) {
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

/// The options that trainers share, in the groups and in the order of --help. \tparam Options derived from
/// CommonOptions.
template <class Options>
struct OptionGroups {
  template <class Value, std::size_t N>
  using Choices = command_line::Choices<Value, N>;
  using Group = command_line::Group<Options>;
  using Settings = command_line::Settings<Options>;

  [[nodiscard]] static Group configuration() {
    return {
        "configuration",
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

  [[nodiscard]] static Group place() {
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
          Settings::choice(
              &Options::recompute,
              Choices<zero::activation::Recompute, 3>{{{"none", zero::activation::Recompute::none},
                                                       {"selective", zero::activation::Recompute::selective},
                                                       {"block", zero::activation::Recompute::block}}})},
         {"--reduce", "each_micro_batch|once_per_step", "when gradients are summed over ranks",
          Settings::choice(&Options::reduce,
                           Choices<std::optional<Reduce>, 2>{{{"each_micro_batch", Reduce::each_micro_batch},
                                                              {"once_per_step", Reduce::once_per_step}}}),
          "by the stage"}}};
  }

  [[nodiscard]] static Group training() {
    using zero::schedule::SkippedStep;
    return {
        "training",
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

  /// The folder of a monitor, whose job is called as the program unless somebody names it.
  [[nodiscard]] static command_line::Setting<Options> monitor(std::optional<zero::monitor::CurveFolder> Options::*at,
                                                              std::string_view program) {
    return {[=](Options& options, std::string_view, std::string_view value) {
              if (!(options.*at)) (options.*at).emplace().job_name = std::string(program);
              (options.*at)->output_path = std::string(value);
            },
            [=](Options const& options) { return options.*at ? (options.*at)->output_path : std::string(); }};
  }

  [[nodiscard]] static Group output(std::string_view program) {
    return {
        "what is written",
        {{"--log", "FILE", "JSON Lines: one object per step, then the hash of all parameters",
          Settings::text(&Options::log)},
         {"--tensorboard", "DIR", "curves for TensorBoard, in DIR/NAME", monitor(&Options::tensorboard, program)},
         {"--csv", "DIR", "curves as DeepSpeed's csv_monitor writes them, in DIR/NAME",
          monitor(&Options::csv, program)},
         {"--json-lines", "DIR", "curves as JSON Lines, in DIR/NAME/metrics.jsonl",
          monitor(&Options::json_lines, program)},
         {"--job-name", "NAME", "NAME of the folder that curves are in", Settings::text(&Options::job_name), program},
         {"--log-interval", "N", "steps between lines on standard output",
          Settings::whole(&Options::log_interval, 1, many),
          "on a terminal those of validations; else a twentieth of the run, 1000 at most"}}};
  }

  [[nodiscard]] static Group profiling() {
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

  [[nodiscard]] static Group checkpoint() {
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
              Settings::flag(&Options::new_optimizer)}}};
  }
};

/// The option \p name of \p group, to say what a program means by it. \throws std::logic_error where there is none.
template <class Options>
[[nodiscard]] command_line::Option<Options>& option_of(command_line::Group<Options>& group, std::string_view name) {
  for (auto& option : group.options) {
    if (option.name == name) return option;
  }
  throw std::logic_error("no option " + std::string(name));
}

/// Leaves the option \p name out of \p group. \throws std::logic_error where there is none.
template <class Options>
void leave_out(command_line::Group<Options>& group, std::string_view name) {
  auto const at = &option_of(group, name) - group.options.data();
  group.options.erase(group.options.begin() + at);
}

/// Puts \p option behind \p name. \throws std::logic_error where there is none.
template <class Options>
void put_behind(command_line::Group<Options>& group, std::string_view name, command_line::Option<Options> option) {
  auto const at = &option_of(group, name) - group.options.data();
  group.options.insert(group.options.begin() + at + 1, std::move(option));
}

}  // namespace training
