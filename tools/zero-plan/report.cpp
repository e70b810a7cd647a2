// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

namespace zero_plan {
namespace {

// Among those that send as much, one without offload, whose copies to the host are no traffic between ranks, and then
// the one that leaves more of the device free.
// A search prefers activations that are kept, and then larger micro-batches.
auto preference(Row const& row) {
  auto const recompute = row.trainer ? row.trainer->run.recompute : Recompute::none;
  auto const sequences = row.trainer ? row.trainer->run.sequences : 0;
  return std::tuple(row.plan.bytes_sent, recompute, row.settings.plan.offload.has_value(), UINT64_MAX - sequences,
                    row.device);
}

void mark_least(std::span<Row> rows) {
  Row* least = nullptr;
  for (auto& row : rows) {
    if (row.fits == true && (least == nullptr || preference(row) < preference(*least))) least = &row;
  }
  if (least != nullptr) least->sends_least = true;
}

void measure(Report& report) {
  auto const bucket = report.options.settings.bucket_elements.value_or(SIZE_MAX);
  for (auto const& spec : report.model.parameters.specs()) {
    auto const elements = zero::ParameterList::element_count(spec.shape);
    report.parameter_elements += elements;
    report.largest_elements = std::max(report.largest_elements, elements);
    report.checkpoint_bytes += elements * sizeof(float) * (1 + zero::AdamW::state_count);
    if (spec.contributions == 1 && elements > bucket) report.large_elements += elements;
  }
}

// Memory and time of a plan grow with the buckets.
void check_buckets(Report const& report) {
  constexpr std::size_t most = std::size_t{1} << 22;
  auto const& settings = report.options.settings;
  auto const bucket = settings.bucket_elements.value_or(zero::LayoutSettings{}.bucket_elements);
  for (auto const world : report.options.worlds) {
    auto const count =
        report.parameter_elements / std::max(bucket, static_cast<std::size_t>(world) * settings.alignment_elements);
    if (count <= most) continue;
    throw UsageError(zero::detail::concat({"--bucket ", bucket, ": would cut the model into ", count, " buckets, but ",
                                           most, " are the most that are planned"}));
  }
}

/// What a process of train_gpt2 has that its table of memory does not list: the program and its libraries, measured,
/// and what each rank holds at once to read or write the largest parameter, once as it is kept and once in float. Ranks
/// whose shards are gathered for it do so together, others each in its own time.
std::uint64_t unlisted(Report const& report, Settings const& settings) {
  constexpr std::uint64_t program = 16'000'000;
  auto const world = static_cast<std::uint64_t>(settings.plan.world);
  bool const is_wide = settings.types.compute == zero::ElementType::fp32;
  bool const is_whole = world == 1 || settings.plan.stage == zero::Stage::none ||
                        (is_wide && settings.plan.stage < zero::Stage::parameters);
  auto const values = report.largest_elements * sizeof(float);
  return program + (is_whole ? (world + 1) * values : 2 * world * values);
}

}  // namespace

Settings settings_of(Options const& options, int world, std::optional<int> accumulation, zero::Stage stage,
                     bool offload) {
  auto settings = options.settings;
  settings.plan.stage = stage, settings.plan.world = world;
  if (offload) settings.plan.offload = options.offload;
  settings.gradient_accumulation_steps = accumulation;
  return settings;
}

bool sends_less(Row const& a, Row const& b) { return preference(a) < preference(b); }

Row make_row(Report const& report, Settings const& settings, zero::Plan const& plan,
             std::optional<Gpt2Run> const& run) {
  using enum zero::MemoryKind;
  auto const& options = report.options;
  Row row{.settings = settings, .plan = plan};
  row.device = row.plan.memory.bytes(device) + options.activations;
  row.host = row.plan.memory.bytes(pinned) + row.plan.memory.bytes(pageable);
  if (run) {
    row.trainer = TrainerMemory{*run, memory_of(*report.model.gpt2, *run)};
    row.device += row.trainer->memory.total();
    row.host += row.trainer->memory.pinned;
    row.trainer->process =
        static_cast<std::uint64_t>(settings.plan.world) * (row.device + row.host) + unlisted(report, settings);
  }
  if (options.memory || options.host_memory) {
    row.fits =
        row.needed() <= options.memory.value_or(UINT64_MAX) && row.host <= options.host_memory.value_or(UINT64_MAX);
  }
  return row;
}

void set_gathers(Settings& settings, Model const& model, Gpt2Run const& run) {
  settings.plan.blocks.reset();
  if (run.recompute != Recompute::block) return;
  settings.plan.blocks.emplace(model.gpt2->layers, run.recompute, run.kept_inputs);
}

Report begin_report(Options options, Model model) {
  Report report{.options = std::move(options), .model = std::move(model), .rows = {}};
  measure(report);
  check_buckets(report);
  return report;
}

Report make_report(Options options, Model model) {
  auto report = begin_report(std::move(options), std::move(model));
  auto const& asked = report.options;
  std::optional<Gpt2Run> run;
  if (asked.batch) run = run_of(asked, *asked.batch, asked.recomputes.front());
  for (int world : asked.worlds) {
    std::vector<std::optional<int>> accumulations(asked.accumulations.begin(), asked.accumulations.end());
    if (accumulations.empty()) accumulations.emplace_back();
    for (auto accumulation : accumulations) {
      auto const first = report.rows.size();
      for (auto stage : asked.stages) {
        for (bool offload : asked.offloads) {
          auto settings = settings_of(asked, world, accumulation, stage, offload);
          if (run) set_gathers(settings, report.model, *run);
          report.rows.push_back(make_row(report, settings, plan(report.model.parameters, settings), run));
        }
      }
      mark_least(std::span(report.rows).subspan(first));
    }
  }
  return report;
}

std::size_t published_bucket_elements(Report const& report, Row const& row) {
  constexpr std::size_t least = 40000000;
  constexpr std::size_t for_each_rank = 1000000;
  return std::min(std::max(least, for_each_rank * static_cast<std::size_t>(row.settings.plan.world)),
                  report.parameter_elements);
}

std::string recomputation_of(Options const& options, Gpt2Run const& run) {
  std::string text(name(run.recompute));
  if (run.recompute != Recompute::block) return text;
  if (options.kept_inputs) {
    text += zero::detail::concat({", from ", run.kept_inputs, run.kept_inputs == 1 ? " kept input" : " kept inputs"});
  }
  if (run.inputs_on_host)
    text += options.kept_inputs ? " in pinned host memory" : ", from inputs in pinned host memory";
  return text;
}

std::string smallest_of(Options const& options, std::span<Row const> rows) {
  auto const& row =
      *std::min_element(rows.begin(), rows.end(), [](Row const& a, Row const& b) { return a.needed() < b.needed(); });
  bool const on_host = row.trainer && !row.trainer->run.cuda;
  auto text = in_gigabytes(row.needed()) + " GB";
  if (!on_host && row.settings.plan.offload) text += ", and " + in_gigabytes(row.host) + " GB of the host";
  text +=
      zero::detail::concat({": world ", row.settings.plan.world, ", stage ", static_cast<int>(row.settings.plan.stage),
                            ", offload ", row.settings.plan.offload ? "cpu" : "none"});
  if (!row.trainer) return text;
  auto const& run = row.trainer->run;
  return text + zero::detail::concat({", recompute ", recomputation_of(options, run), ", micro-batch ", run.sequences});
}

std::string in_gigabytes(std::uint64_t bytes) {
  double const gigabytes = static_cast<double>(bytes) / 1e9;
  if (bytes == 0) return "0";
  if (gigabytes < 0.00005) return "<0.0001";
  int const digits = gigabytes >= 999.95 ? 0 : gigabytes >= 99.995 ? 1 : gigabytes >= 9.9995 ? 2 : 3;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", gigabytes < 0.99995 ? 4 : digits, gigabytes);
  return text;
}

}  // namespace zero_plan
