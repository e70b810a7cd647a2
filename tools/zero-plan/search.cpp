// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.hpp"

#include <zero/config/settings.hpp>
#include <zero/config/write.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace zero_plan {
namespace {

/// Tries settings of one model, with the largest micro-batch that fits.
class Search {
 public:
  explicit Search(Report const& report) : report_(report), options_(report.options), world_(options_.worlds.front()) {
    auto const each = *options_.global_batch / static_cast<std::uint64_t>(world_);
    for (std::uint64_t batch = each; batch > 0; --batch) {
      if (each % batch == 0 && batch * report.model.gpt2->context <= most_tokens) batches_.push_back(batch);
    }
  }

  [[nodiscard]] Finding find(std::uint64_t memory) {
    std::vector<Row> fitting, others;
    for (auto const stage : options_.stages) {
      for (bool const offload : options_.offloads) {
        for (auto const recompute : options_.recomputes) {
          auto row = largest(stage, offload, recompute, memory);
          (row.fits == true ? fitting : others).push_back(row);
        }
      }
    }
    std::stable_sort(fitting.begin(), fitting.end(), sends_less);
    std::stable_sort(others.begin(), others.end(), [](Row const& a, Row const& b) { return a.needed() < b.needed(); });
    if (!fitting.empty()) fitting.front().sends_least = true;
    Finding finding{.memory = memory, .rows = std::move(fitting)};
    finding.fitting = finding.rows.size();
    std::move(others.begin(), others.end(), std::back_inserter(finding.rows));
    return finding;
  }

 private:
  static constexpr std::uint64_t most_tokens = (std::uint64_t{1} << 31) - 1;  // rows of a matrix

  /// With one sequence where no number of them fits.
  [[nodiscard]] Row largest(zero::Stage stage, bool offload, Recompute recompute, std::uint64_t memory) {
    for (auto const batch : batches_) {
      auto const run = run_of(options_, batch, recompute);
      bool const is_last = batch == batches_.back();
      if (!is_last && memory_of(*report_.model.gpt2, run).total() > memory) continue;
      auto row = make(stage, offload, run);
      row.fits = row.needed() <= memory && row.host <= options_.host_memory.value_or(UINT64_MAX);
      if (*row.fits || is_last) return row;
    }
    throw UsageError("--context " + std::to_string(report_.model.gpt2->context) + ": is too long for any micro-batch");
  }

  [[nodiscard]] Row make(zero::Stage stage, bool offload, Gpt2Run const& run) {
    auto const accumulation =
        static_cast<int>(*options_.global_batch / (run.sequences * static_cast<std::uint64_t>(world_)));
    auto settings = settings_of(options_, world_, accumulation, stage, offload);
    set_gathers(settings, report_.model, run);
    bool const has_segments = run.recompute == Recompute::block && options_.kept_inputs.has_value();
    auto const key = std::tuple(stage, offload, accumulation, has_segments);
    auto found = plans_.find(key);
    if (found == plans_.end()) found = plans_.emplace(key, plan(report_.model.parameters, settings)).first;
    return make_row(report_, settings, found->second, run);
  }

  Report const& report_;
  Options const& options_;
  int world_;
  std::vector<std::uint64_t> batches_;                                    // the largest first
  std::map<std::tuple<zero::Stage, bool, int, bool>, zero::Plan> plans_;  // others send as much
};

Row const& best(Report const& report) { return report.findings.front().rows.front(); }

}  // namespace

Report search(Options options, Model model) {
  auto report = begin_report(std::move(options), std::move(model));
  Search finder(report);
  for (auto const memory : report.options.memories) report.findings.push_back(finder.find(memory));
  return report;
}

std::string to_configuration(Report const& report) {
  auto const& row = best(report);
  auto const& settings = row.settings;
  auto const accumulation = static_cast<std::uint64_t>(*settings.gradient_accumulation_steps);
  zero::config::Settings config;
  config.batch = {.sequences = *report.options.global_batch,
                  .micro_batch = row.trainer->run.sequences,
                  .micro_batches = accumulation * static_cast<std::uint64_t>(settings.plan.world),
                  .accumulation = accumulation};
  config.precision = zero::config::PrecisionChoice{.compute = settings.types.compute, .sum = settings.types.sum};
  if (settings.types.compute == zero::ElementType::fp16) config.precision->scale = zero::DynamicScale::Config{};
  config.sharding = zero::config::Sharding{.stage = settings.plan.stage,
                                           .offload = settings.plan.offload,
                                           .bucket_elements = settings.bucket_elements,
                                           .missing_gradient = zero::MissingGradient::error,
                                           .max_live_elements = settings.max_live_elements,
                                           .prefetch_units = settings.prefetch_units,
                                           .persistence_threshold = settings.persistence_threshold};
  if (auto const& run = row.trainer->run; run.recompute == Recompute::block) {
    config.recomputation = zero::config::Recomputation{.kept_inputs = report.options.kept_inputs,
                                                       .inputs_in_host_memory = run.inputs_on_host};
  }
  return zero::config::to_json(config);
}

/// The shortest text that is read as \p value again.
std::string shortest(double value) {
  std::array<char, 32> text{};
  auto const [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

std::string command_of(Report const& report, std::string const& file) {
  auto const& shape = *report.model.gpt2;
  auto const& row = best(report);
  auto const number = [](char const* option, std::size_t value) {
    return std::string(" ") + option + " " + std::to_string(value);
  };
  std::string text = "train_gpt2 --config " + file;
  if (report.options.model) {
    text += " --model " + report.model.name;
  } else {
    text += number("--layers", shape.layers) + number("--heads", shape.heads) + number("--width", shape.width);
  }
  text += number("--context", shape.context);
  text += report.options.cuda ? " --device cuda" : "";
  auto const recompute = row.trainer->run.recompute;
  if (recompute != Recompute::none) text += " --recompute " + std::string(name(recompute));
  if (row.trainer->run.drops) text += " --dropout " + shortest(report.options.dropout);
  return text + number("--ranks", static_cast<std::size_t>(row.settings.plan.world));
}

}  // namespace zero_plan
