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

Settings settings_of(Options const& options, int world, std::optional<int> accumulation, zero::Stage stage,
                     bool offload) {
  auto settings = options.settings;
  settings.plan.stage = stage, settings.plan.world = world;
  if (offload) settings.plan.offload = options.offload;
  settings.gradient_accumulation_steps = accumulation;
  return settings;
}

Row make_row(Options const& options, Model const& model, Settings const& settings) {
  using enum zero::MemoryKind;
  Row row{.settings = settings, .plan = plan(model.parameters, settings)};
  row.device = row.plan.memory.bytes(device) + options.activations;
  row.host = row.plan.memory.bytes(pinned) + row.plan.memory.bytes(pageable);
  if (options.memory || options.host_memory) {
    row.fits =
        row.device <= options.memory.value_or(UINT64_MAX) && row.host <= options.host_memory.value_or(UINT64_MAX);
  }
  return row;
}

// Among those that send as much, one without offload, whose copies to the host are no traffic between ranks, and then
// the one that leaves more of the device free.
auto preference(Row const& row) {
  return std::tuple(row.plan.bytes_sent, row.settings.plan.offload.has_value(), row.device);
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

}  // namespace

Report make_report(Options options, Model model) {
  Report report{.options = std::move(options), .model = std::move(model), .rows = {}};
  measure(report);
  check_buckets(report);
  auto const& asked = report.options;
  for (int world : asked.worlds) {
    std::vector<std::optional<int>> accumulations(asked.accumulations.begin(), asked.accumulations.end());
    if (accumulations.empty()) accumulations.emplace_back();
    for (auto accumulation : accumulations) {
      auto const first = report.rows.size();
      for (auto stage : asked.stages) {
        for (bool offload : asked.offloads) {
          report.rows.push_back(make_row(asked, report.model, settings_of(asked, world, accumulation, stage, offload)));
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
