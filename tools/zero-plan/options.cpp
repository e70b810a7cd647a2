// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.hpp"

#include "support/command_line.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

namespace zero_plan {
namespace {

using command_line::choice;
using command_line::Choices;
using command_line::reject;
using command_line::whole;
using Table = command_line::Table<Options>;

// Decimal and binary units, as vendors and tools write them.
constexpr std::array<std::pair<std::string_view, double>, 10> units{{{"", 1.0},
                                                                     {"B", 1.0},
                                                                     {"kB", 1e3},
                                                                     {"MB", 1e6},
                                                                     {"GB", 1e9},
                                                                     {"TB", 1e12},
                                                                     {"KiB", 0x1p10},
                                                                     {"MiB", 0x1p20},
                                                                     {"GiB", 0x1p30},
                                                                     {"TiB", 0x1p40}}};

std::uint64_t bytes(std::string_view name, std::string_view value) {
  double number = 0.0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  auto const unit = std::string_view(value).substr(static_cast<std::size_t>(end - value.data()));
  auto const known = std::find_if(units.begin(), units.end(), [&](auto const& u) { return u.first == unit; });
  bool const good = error == std::errc{} && known != units.end() && number >= 0.0;
  if (!good || !(number * known->second < 0x1p60))
    reject(name, value, "bytes below 2^60, such as 80GB, 80GiB or 512MiB");
  return static_cast<std::uint64_t>(number * known->second);
}

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

zero::ElementType element(std::string_view name, std::string_view value) {
  using enum zero::ElementType;
  return choice(name, value, Choices<zero::ElementType, 3>{{{"fp32", fp32}, {"bf16", bf16}, {"fp16", fp16}}});
}

zero::Reduce reduce(std::string_view name, std::string_view value) {
  using enum zero::Reduce;
  return choice(name, value,
                Choices<zero::Reduce, 2>{{{"each_micro_batch", each_micro_batch}, {"once_per_step", once_per_step}}});
}

std::vector<int> numbers(std::string_view name, std::string_view value, std::uint64_t most) {
  return list(name, value, [&](std::string_view part) { return static_cast<int>(whole(name, part, 1, most)); });
}

constexpr std::uint64_t many = std::uint64_t{1} << 50;  // elements

// The order is that of --help.
Table const& model_options() {
  using View = std::string_view;
  static Table const table{
      {"--model", "NAME", "gpt2-124m, llama-3-8b, zero-7.5b, ...; an unknown one lists all",
       [](Options& o, View, View v) { o.model = std::string(v); }},
      {"--shapes", "FILE", "a model with one parameter per line, in forward order: its name and dimensions",
       [](Options& o, View, View v) { o.shapes = std::string(v); }},
      {"--safetensors", "FILE", "a model with the tensors of this file; may be repeated",
       [](Options& o, View, View v) { o.safetensors.emplace_back(v); }},
      {"--tied", "NAME", "a parameter of the file that two layers use; may be repeated",
       [](Options& o, View, View v) { o.tied.emplace_back(v); }},
      {"--skip", "END", "leave out what has a name with this end; may be repeated",
       [](Options& o, View, View v) { o.skipped.emplace_back(v); }},
      {"--world", "N[,N]", "ranks", [](Options& o, View n, View v) { o.worlds = numbers(n, v, 1 << 16); }},
      {"--memory", "BYTES", "of one device, such as 80GB or 80GiB: says which settings fit",
       [](Options& o, View n, View v) { o.memory = bytes(n, v); }},
      {"--host-memory", "BYTES", "of the host, for one rank",
       [](Options& o, View n, View v) { o.host_memory = bytes(n, v); }},
      {"--activations", "BYTES", "of device memory that the trainer needs beside the engine",
       [](Options& o, View n, View v) { o.activations = bytes(n, v); }},
      {"--json", "FILE", "write all figures as JSON; -: to standard output, instead of the table",
       [](Options& o, View, View v) { o.json = std::string(v); }},
      {"--plot", "FILE", "write a picture of the memory, as SVG",
       [](Options& o, View, View v) { o.plot = std::string(v); }},
  };
  return table;
}

Table const& engine_options() {
  using View = std::string_view;
  static Table const table{
      {"--stage", "N[,N]", "0 to 3; default: all",
       [](Options& o, View n, View v) {
         o.stages = list(n, v, [&](View part) { return static_cast<zero::Stage>(whole(n, part, 0, 3)); });
       }},
      {"--offload", "none|cpu|both", "where optimizer states live; default: both",
       [](Options& o, View n, View v) {
         o.offloads =
             choice(n, v, Choices<std::vector<bool>, 3>{{{"none", {false}}, {"cpu", {true}}, {"both", {false, true}}}});
       }},
      {"--precision", "fp32|bf16|fp16", "of parameters and gradients; default: bf16. fp16 scales the loss dynamically",
       [](Options& o, View n, View v) { o.settings.types.compute = element(n, v); }},
      {"--sum", "fp32|bf16", "of reduced gradients; default: fp32",
       [](Options& o, View n, View v) { o.settings.types.sum = element(n, v); }},
      {"--accumulate", "N[,N]", "micro-batches of a step; default: 1",
       [](Options& o, View n, View v) { o.accumulations = numbers(n, v, 1 << 20); }},
      {"--reduce", "each_micro_batch|once_per_step", "when gradients are summed over ranks; default: by the stage",
       [](Options& o, View n, View v) { o.settings.reduce = reduce(n, v); }},
      {"--bucket", "N",
       "elements of a bucket; default: 4194304, at stages 2 and 3 the largest parameter if it has more",
       [](Options& o, View n, View v) { o.settings.bucket_elements = whole(n, v, 1, many); }},
      {"--granule", "N", "elements that a parameter starts on; default: 128",
       [](Options& o, View n, View v) { o.settings.alignment_elements = whole(n, v, 128, 1 << 24); }},
      {"--ring", "N", "stages 2 and 3: buckets of gradients; default: as many as a unit needs, and one",
       [](Options& o, View n, View v) { o.settings.gradient_ring = static_cast<int>(whole(n, v, 1, 1 << 20)); }},
      {"--live", "N", "stage 3: gathered elements at most; default: what a unit and the next need",
       [](Options& o, View n, View v) { o.settings.max_live_elements = whole(n, v, 1, many); }},
      {"--prefetch", "N", "stage 3: units gathered ahead; default: 1",
       [](Options& o, View n, View v) { o.settings.prefetch_units = static_cast<int>(whole(n, v, 0, 1 << 20)); }},
      {"--whole-below", "N", "stage 3: parameters with fewer elements stay whole",
       [](Options& o, View n, View v) { o.settings.persistence_threshold = whole(n, v, 0, many); }},
      {"--nccl", "auto|ordered|native", "count the staging of NcclCommunicator, which adds in this way; default: none",
       [](Options& o, View n, View v) {
         using enum zero::NcclReduction;
         o.settings.plan.nccl = {choice(n, v,
                                        Choices<std::optional<zero::NcclReduction>, 3>{
                                            {{"auto", std::nullopt}, {"ordered", ordered}, {"native", native}}})};
       }},
      {"--chunk", "N", "offload: elements of one copy; default: 4194304",
       [](Options& o, View n, View v) { o.offload.chunk_elements = whole(n, v, 1, many); }},
      {"--device-share", "PERCENT", "offload: of the states, what stays on the device; default: 0",
       [](Options& o, View n, View v) { o.offload.device_share = static_cast<double>(whole(n, v, 0, 100)) / 100.0; }},
      {"--delayed-update", "off|on", "offload: update beside the next step's passes, a step late; default: off",
       [](Options& o, View n, View v) {
         o.offload.delayed_update = choice(n, v, Choices<bool, 2>{{{"off", false}, {"on", true}}});
       }},
  };
  return table;
}

void check(Options& o) {
  int const models = (o.model ? 1 : 0) + (o.shapes ? 1 : 0) + (o.safetensors.empty() ? 0 : 1);
  if (models != 1)
    throw UsageError("name one model, with --model, --shapes or --safetensors; --help lists all options");
  if (o.model && !(o.tied.empty() && o.skipped.empty())) {
    throw UsageError("--tied and --skip: only the model of a file needs them");
  }
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

Options parse_options(std::span<char const* const> arguments) {
  Options options;
  command_line::parse(arguments, {&model_options(), &engine_options()}, options);
  if (!options.help) check(options);
  return options;
}

std::string usage() {
  constexpr std::size_t column = 28;
  return "zero-plan: predicts memory and traffic of one rank by running zero's engine without storage\n"
         "\nthe model, the machine and what is written:\n" +
         command_line::describe(model_options(), column) + "\nthe engine:\n" +
         command_line::describe(engine_options(), column);
}

}  // namespace zero_plan
