// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.hpp"

#include "support/settings.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zero_plan {
namespace {

using command_line::choice;
using command_line::Choices;
using command_line::reject;
using command_line::whole;
using Group = command_line::Group<Options>;
using Setter = command_line::Settings<Options>;

/// Calls `read(part)` for every part of a list with commas, and returns what it returns; nothing may come twice.
template <class Read>
auto list(std::string_view name, std::string_view value, Read&& read) {
  std::vector<decltype(read(value))> values;
  for (std::size_t begin = 0; begin <= value.size();) {
    auto const end = std::min(value.find(',', begin), value.size());
    auto const next = read(value.substr(begin, end - begin));
    if (std::find(values.begin(), values.end(), next) != values.end()) reject(name, value, "no value twice");
    values.push_back(next);
    begin = end + 1;
  }
  return values;
}

zero::Reduce reduce(std::string_view name, std::string_view value) {
  using enum zero::Reduce;
  return choice(name, value,
                Choices<zero::Reduce, 2>{{{"each_micro_batch", each_micro_batch}, {"once_per_step", once_per_step}}});
}

std::vector<int> numbers(std::string_view name, std::string_view value, std::uint64_t most) {
  return list(name, value, [&](std::string_view part) { return static_cast<int>(whole(name, part, 1, most)); });
}

std::vector<Recompute> recomputes(std::string_view name, std::string_view value) {
  std::string expected;
  for (auto const recompute : all_recomputes) {
    expected += (expected.empty() ? "" : "|") + std::string(zero::activation::name(recompute));
  }
  return list(name, value, [&](std::string_view part) {
    for (auto const recompute : all_recomputes) {
      if (part == zero::activation::name(recompute)) return recompute;
    }
    reject(name, part, expected);
  });
}

void take_memory(Options& o, std::string_view name, std::string_view value) {
  o.memories = list(name, value, [&](std::string_view part) { return command_line::size_of(name, part); });
  o.memory = o.memories.front();
}

constexpr std::uint64_t many = std::uint64_t{1} << 50;  // elements
constexpr std::uint64_t most_batch = (std::uint64_t{1} << 31) - 1;
constexpr char const* recompute_names = "none|selective|block";

using View = std::string_view;
using Setting = command_line::Setting<Options>;

/// A setting of which the default is said in words.
template <class Set>
Setting only_set(Set&& set) {
  return {std::forward<Set>(set)};
}

Setting numbers_in(std::vector<int> Options::*member, std::uint64_t most) {
  return only_set([=](Options& o, View n, View v) { o.*member = numbers(n, v, most); });
}

Setting texts(std::vector<std::string> Options::*member) {
  return only_set([=](Options& o, View, View v) { (o.*member).emplace_back(v); });
}

// Places in the settings of the engine. Macros, because a member of a member has no pointer.
#define ZERO_PLAN_AT(member) \
  [](auto& o) -> auto& { return o.member; }

// The order is that of --help.
Group model_group() {
  return {"the model",
          {{"--model", "NAME", "gpt2-124m, gpt2-xl, llama-3-8b, zero-7.5b, ...; an unknown one lists all",
            Setter::text(&Options::model)},
           {"--shapes", "FILE", "a model with one parameter per line, in forward order: its name and dimensions",
            Setter::text(&Options::shapes)},
           {.name = "--safetensors",
            .value = "PATH",
            .help = "a model with the tensors of this file, or of all in this folder; may be repeated",
            .setting = texts(&Options::safetensors),
            .repeats = true},
           {.name = "--tied",
            .value = "NAME",
            .help = "a parameter of the file that two layers use; may be repeated",
            .setting = texts(&Options::tied),
            .repeats = true},
           {.name = "--skip",
            .value = "END",
            .help = "leave out what has a name with this end; may be repeated",
            .setting = texts(&Options::skipped),
            .repeats = true},
           {"--layers", "N", "blocks of a GPT-2 of your own, with --heads and --width in place of --model",
            Setter::whole(ZERO_PLAN_AT(gpt2.layers), 1, 1024)},
           {"--heads", "N", "its attention heads", Setter::whole(ZERO_PLAN_AT(gpt2.heads), 1, 1024)},
           {"--width", "N", "its width", Setter::whole(ZERO_PLAN_AT(gpt2.width), 1, 1 << 16)},
           {"--context", "N", "tokens in a sequence of a GPT-2", Setter::whole(ZERO_PLAN_AT(gpt2.context), 1, 1 << 16),
            "1024"},
           {"--vocab", "N", "its vocabulary", Setter::whole(ZERO_PLAN_AT(gpt2.vocabulary), 1, 1 << 24), "50257"}}};
}

Group trainer_group() {
  return {
      "train_gpt2, whose activations are known by formula",
      {{"--batch", "N", "sequences of a micro-batch, on one rank", Setter::whole(&Options::batch, 1, most_batch)},
       {"--global-batch", "N",
        "sequences of a step, over all ranks: for each --memory, the largest micro-batch of every setting, the one "
        "that sends least first",
        Setter::whole(&Options::global_batch, 1, most_batch)},
       {"--recompute", recompute_names,
        "activations that backward computes again; several with commas, for --global-batch",
        only_set([](Options& o, View n, View v) { o.recomputes = recomputes(n, v); }), "none; of --global-batch all"},
       {"--kept-inputs", "N",
        "with --recompute block: inputs of blocks that are kept; what lies between two is computed again together",
        Setter::whole(&Options::kept_inputs, 1, 1024), "of each block but the last"},
       {"--inputs-on-host", "[on|off]", "with --recompute block on a GPU: kept inputs go to pinned host memory",
        Setter::flag(&Options::inputs_on_host)},
       {"--dropout", "X", "share of elements that training drops, which takes a buffer",
        Setter::real(&Options::dropout, 0.0, 0.9999999999, "a number in [0, 1)")},
       {"--device", "cpu|cuda", "where it computes; cpu: --memory is that of the machine, for all ranks",
        Setter::choice(&Options::cuda, Choices<bool, 2>{{{"cpu", false}, {"cuda", true}}})}}};
}

Group machine_group() {
  return {"the machine (80G and 80GiB are binary, 80GB is decimal)",
          {{"--ranks", "N[,N]", "number of ranks", numbers_in(&Options::worlds, 1 << 16), "1", "--world"},
           {"--memory", "SIZE[,SIZE]", "memory of one device: says which settings fit; several with --global-batch",
            only_set(take_memory), "none"},
           {"--host-memory", "SIZE", "memory of the host, for one rank", Setter::size(&Options::host_memory)},
           {"--activations", "SIZE", "device memory that the trainer needs beside the engine",
            Setter::size(&Options::activations)}}};
}

Group output_group() {
  return {"what is written",
          {{"--json", "FILE", "write all figures as JSON; -: to standard output, instead of the table",
            Setter::text(&Options::json)},
           {"--plot", "FILE.svg", "write a picture of the memory, as SVG", Setter::text(&Options::plot)},
           {"--write-config", "FILE", "write the first line of a --global-batch as a configuration for train_gpt2",
            Setter::text(&Options::write_config)}}};
}

Group engine_group() {
  using enum zero::ElementType;
  return {
      "the engine",
      {{"--stage", "N[,N]", "stages of ZeRO, from 0 to 3", only_set([](Options& o, View n, View v) {
          o.stages = list(n, v, [&](View part) { return static_cast<zero::Stage>(whole(n, part, 0, 3)); });
        }),
        "all that the other options leave"},
       {"--offload", "none|cpu|both", "where optimizer states live",
        Setter::choice(&Options::offloads,
                       Choices<std::vector<bool>, 3>{{{"none", {false}}, {"cpu", {true}}, {"both", {false, true}}}})},
       {"--precision", "fp32|bf16|fp16", "type of parameters and gradients; fp16 scales the loss dynamically",
        Setter::choice(ZERO_PLAN_AT(settings.types.compute),
                       Choices<zero::ElementType, 3>{{{"fp32", fp32}, {"bf16", bf16}, {"fp16", fp16}}})},
       {"--sum", "fp32|bf16", "type of reduced gradients",
        Setter::choice(ZERO_PLAN_AT(settings.types.sum),
                       Choices<zero::ElementType, 2>{{{"fp32", fp32}, {"bf16", bf16}}})},
       {"--accumulate", "N[,N]", "micro-batches of a step, on each rank", numbers_in(&Options::accumulations, 1 << 20),
        "1"},
       {"--micro-batches", "N", "micro-batches of a step of all ranks, in place of --accumulate",
        Setter::whole(ZERO_PLAN_AT(settings.micro_batches_per_step), 1, 1 << 30)},
       {"--allow-idle-ranks", "[on|off]", "more ranks than micro-batches: the last ones hold states only",
        Setter::flag(ZERO_PLAN_AT(settings.allow_idle_ranks))},
       {"--reduce", "each_micro_batch|once_per_step", "when gradients are summed over ranks",
        only_set([](Options& o, View n, View v) { o.settings.reduce = reduce(n, v); }), "by the stage"},
       {"--bucket", "N", "elements of a bucket", Setter::whole(ZERO_PLAN_AT(settings.bucket_elements), 1, many),
        "4194304, and at stages 2 and 3 what takes little memory"},
       {"--alignment",
        "N",
        "elements that a parameter starts on a multiple of",
        Setter::whole(ZERO_PLAN_AT(settings.alignment_elements), 128, 1 << 24),
        {},
        "--granule"},
       {"--ring", "N", "stages 2 and 3: buckets of gradients",
        Setter::whole(ZERO_PLAN_AT(settings.gradient_ring), 1, 1 << 20), "as many as a unit needs, and one"},
       {"--live", "N", "stage 3: gathered elements at most",
        Setter::whole(ZERO_PLAN_AT(settings.max_live_elements), 1, many),
        "what a unit, those ahead and tied ones need"},
       {"--prefetch", "N", "stage 3: units gathered ahead",
        Setter::whole(ZERO_PLAN_AT(settings.prefetch_units), 0, 1 << 20)},
       {"--whole-below", "N", "stage 3: parameters with fewer elements stay whole",
        Setter::whole(ZERO_PLAN_AT(settings.persistence_threshold), 0, many)},
       {"--nccl", "auto|ordered|native", "count the staging of NcclCommunicator, which adds in this way",
        only_set([](Options& o, View n, View v) {
          using enum zero::NcclReduction;
          o.settings.plan.nccl = {choice(n, v,
                                         Choices<std::optional<zero::NcclReduction>, 3>{
                                             {{"auto", std::nullopt}, {"ordered", ordered}, {"native", native}}})};
        })}}};
}

Group offload_group() {
  return {"rows with offload",
          {{"--chunk", "N", "elements of one copy", Setter::whole(ZERO_PLAN_AT(offload.chunk_elements), 1, many)},
           {"--device-share", "PERCENT", "of the states, what stays on the device",
            only_set([](Options& o, View n, View v) {
              o.offload.device_share = static_cast<double>(whole(n, v, 0, 100)) / 100.0;
            }),
            "0"},
           {"--delayed-update", "[on|off]", "update beside the next step's passes, a step late",
            Setter::flag(ZERO_PLAN_AT(offload.delayed_update))}}};
}

#undef ZERO_PLAN_AT

/// Another program would take the file for what its name says.
void check_picture(std::string const& path) {
  std::string const ending = std::filesystem::path(path).extension().string();
  if (ending.empty() || ending == ".svg") return;
  throw UsageError("--plot " + path + ": pictures are SVG: name a file that ends in .svg");
}

/// A GPT-2 of its own size, and what only a GPT-2 has.
void check_gpt2(Options const& o) {
  auto const& own = o.gpt2;
  if (!own.layers && !own.heads && !own.width) return;
  if (o.model) throw UsageError("--layers, --heads and --width: --model " + *o.model + " has its own: leave one out");
  if (!own.layers || !own.heads || !own.width) {
    throw UsageError("--layers, --heads and --width: a GPT-2 of your own needs all three");
  }
  if (*own.width % *own.heads != 0) {
    throw UsageError("--width " + std::to_string(*own.width) + ": --heads " + std::to_string(*own.heads) +
                     " must divide it");
  }
}

constexpr char const* needs_batch = ": is of train_gpt2's activations: needs --batch or --global-batch";

void check_one_batch(Options const& o) {
  if (o.memories.size() > 1) throw UsageError("--memory: several sizes are searched for: need --global-batch");
  if (o.write_config) throw UsageError("--write-config: writes what a search finds: needs --global-batch and --memory");
  if (o.batch && o.recomputes.size() > 1) throw UsageError("--recompute: several need --global-batch: name one");
  if (o.batch) return;
  for (auto const* option : {"--recompute", "--device", "--dropout", "--kept-inputs", "--inputs-on-host"}) {
    if (o.asked.has(option)) throw UsageError(option + std::string(needs_batch));
  }
}

/// What only blocks that are computed again have.
void check_kept_inputs(Options const& o) {
  auto const& all = o.recomputes;
  bool const computes_blocks =
      o.global_batch && all.empty() ? true : std::find(all.begin(), all.end(), Recompute::block) != all.end();
  for (auto const* option : {"--kept-inputs", "--inputs-on-host"}) {
    if (o.asked.has(option) && !computes_blocks) {
      throw UsageError(option + std::string(": is of blocks that are computed again: needs --recompute block"));
    }
  }
  if (o.inputs_on_host && !o.cuda) {
    throw UsageError("--inputs-on-host: with --device cpu all activations are on the host: leave it out");
  }
}

/// Options that a configuration cannot say.
constexpr std::array unsaid{"--alignment", "--ring", "--reduce", "--chunk"};

void check_search(Options const& o) {
  for (auto const* option : {"--batch", "--accumulate", "--micro-batches", "--allow-idle-ranks"}) {
    if (!o.asked.has(option)) continue;
    throw UsageError(option + std::string(": --global-batch finds micro-batches itself: leave one of the two out"));
  }
  if (o.memories.empty()) throw UsageError("--global-batch: finds what fits: needs --memory");
  if (o.worlds.size() > 1) throw UsageError("--global-batch: needs one number of --ranks");
  if (o.plot) throw UsageError("--plot: draws a table of rows, not a search: leave out --global-batch, or --plot");
  auto const world = static_cast<std::uint64_t>(o.worlds.front()), all = *o.global_batch;
  if (all % world != 0) {
    auto const below = all / world * world;
    std::string const would = (below > 0 ? std::to_string(below) + " or " : "") + std::to_string(below + world);
    throw UsageError("--global-batch " + std::to_string(all) + ": no micro-batch makes it on " + std::to_string(world) +
                     " ranks that all have as many: " + would + " would do");
  }
  if (!o.write_config) return;
  if (o.memories.size() > 1) throw UsageError("--write-config: writes one configuration: needs one --memory");
  for (auto const* option : unsaid) {
    if (o.asked.has(option)) {
      throw UsageError(option + std::string(": no configuration says it: leave it or --write-config out"));
    }
  }
}

void check_activations(Options const& o) {
  if (!knows_activations(o)) return check_one_batch(o);
  if (o.asked.has("--activations")) {
    throw UsageError("--activations: those of train_gpt2 are known: leave it or --batch and --global-batch out");
  }
  if (!o.cuda && o.host_memory) {
    throw UsageError("--host-memory: all memory of --device cpu is the host's: leave it out, --memory says how much");
  }
  check_kept_inputs(o);
  if (o.global_batch) return check_search(o);
  check_one_batch(o);
}

void check(Options& o) {
  if (o.plot) check_picture(*o.plot);
  check_gpt2(o);
  int const models = (o.model ? 1 : 0) + (o.shapes ? 1 : 0) + (o.safetensors.empty() ? 0 : 1) + (o.gpt2.layers ? 1 : 0);
  if (models != 1)
    throw UsageError("name one model, with --model, --shapes or --safetensors; --help lists all options");
  check_activations(o);
  if (o.model && !(o.tied.empty() && o.skipped.empty())) {
    throw UsageError("--tied and --skip: only the model of a file needs them");
  }
  if (o.settings.micro_batches_per_step && !o.accumulations.empty()) {
    throw UsageError("--micro-batches counts those of all ranks, --accumulate those of each: give one of them");
  }
  if (!o.settings.micro_batches_per_step && o.settings.allow_idle_ranks) {
    throw UsageError("--allow-idle-ranks: every rank has micro-batches unless --micro-batches says how many there are");
  }
  if (!o.settings.micro_batches_per_step && o.accumulations.empty()) o.accumulations = {1};
  if (o.recomputes.empty()) o.recomputes.assign(all_recomputes.begin(), all_recomputes.end());
  if (!o.global_batch) o.recomputes.resize(1);
  bool const never_offloads = std::find(o.offloads.begin(), o.offloads.end(), true) == o.offloads.end();
  zero::CpuOffload::Config const usual{};
  bool const says_how = o.offload.chunk_elements != usual.chunk_elements ||
                        o.offload.device_share != usual.device_share || o.offload.delayed_update;
  if (never_offloads && says_how) {
    throw UsageError("--offload none: --chunk, --device-share and --delayed-update are settings of an offload");
  }
  bool const local_sums = o.settings.reduce == zero::Reduce::once_per_step;
  for (auto stage : o.stages) {
    if (local_sums && stage >= zero::Stage::gradients) {
      throw UsageError("--reduce once_per_step: keeps whole gradients: use --stage 0,1");
    }
  }
  if (!o.stages.empty()) return;
  o.stages = {zero::Stage::none, zero::Stage::optimizer_states};
  if (!local_sums) o.stages.insert(o.stages.end(), {zero::Stage::gradients, zero::Stage::parameters});
}

}  // namespace

Gpt2Run run_of(Options const& options, std::uint64_t sequences, Recompute recompute) {
  Gpt2Run run{.sequences = sequences,
              .type = options.settings.types.compute,
              .cuda = options.cuda,
              .recompute = recompute,
              .drops = options.dropout > 0.0};
  if (recompute != Recompute::block) return run;
  if (options.kept_inputs) run.kept_inputs = *options.kept_inputs;
  run.inputs_on_host = options.inputs_on_host;
  return run;
}

Options parse_options(std::span<char const* const> arguments) {
  std::vector<char const*> words(arguments.begin(), arguments.end());
  bool const names_model = !words.empty() && words.front()[0] != '-' && words.front()[0] != '\0';
  if (names_model) words.insert(words.begin(), "--model");  // a first word alone
  return command_line::parsed(command(), words, check);
}

command_line::Command<Options> const& command() {
  using command_line::ExitCode;
  static command_line::Command<Options> const made{
      .name = "zero-plan",
      .synopsis = "MODEL [OPTION...]",
      .what = "Predicts memory and traffic of one rank of a training run by running the engine without storage.",
      .groups = {model_group(), machine_group(), trainer_group(), output_group(), engine_group(), offload_group()},
      .exit_codes = {ExitCode::done, ExitCode::failed, ExitCode::usage, ExitCode::data, ExitCode::damaged,
                     ExitCode::nothing_fits}};
  return made;
}

}  // namespace zero_plan
