// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.hpp"
#include "text_table.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace zero_plan {
namespace {

using zero::MemoryKind;
using zero::MemoryPurpose;

template <class Cell>
Column column(Report const& report, std::array<std::string, 3> header, Cell&& cell) {
  return column_of(report.rows, std::move(header), cell);
}

// A purpose has one column per kind of memory that it ever takes. Control is a few hundred bytes per rank of the world:
// only in the total.
void add_memory(std::vector<Column>& columns, Report const& report) {
  for (std::size_t k = 0; k < zero::memory_kinds; ++k) {
    auto const kind = static_cast<MemoryKind>(k);
    for (std::size_t p = 0; p < zero::memory_purposes; ++p) {
      auto const purpose = static_cast<MemoryPurpose>(p);
      auto const takes = [&](Row const& row) { return row.plan.memory.bytes(kind, purpose) > 0; };
      if (purpose == MemoryPurpose::control || std::none_of(report.rows.begin(), report.rows.end(), takes)) continue;
      std::string_view const title = name(purpose);
      auto const space = std::min(title.find(' '), title.size());
      std::string second(title.substr(std::min(space + 1, title.size())));
      columns.push_back(column(report,
                               {std::string(name(kind)), std::string(title.substr(0, space)), std::move(second)},
                               [&](Row const& row) -> std::string {
                                 auto const bytes = row.plan.memory.bytes(kind, purpose);
                                 return bytes == 0 ? "-" : in_gigabytes(bytes);
                               }));
    }
  }
}

std::vector<Column> columns_of(Report const& report) {
  auto const& options = report.options;
  std::vector<Column> columns;
  auto const add = [&](std::array<std::string, 3> header, auto&& cell) {
    columns.push_back(column(report, std::move(header), cell));
  };
  if (options.worlds.size() > 1) {
    add({"", "world", ""}, [](Row const& row) { return std::to_string(row.settings.plan.world); });
  }
  if (options.accumulations.size() > 1) {
    add({"micro-", "batches", ""}, [](Row const& row) { return std::to_string(rounds(row.settings)); });
  }
  add({"", "stage", ""}, [](Row const& row) { return std::to_string(static_cast<int>(row.settings.plan.stage)); });
  add({"", "offload", ""}, [](Row const& row) -> std::string { return row.settings.plan.offload ? "cpu" : "none"; });
  add({"model", "states", ""},
      [](Row const& row) { return in_gigabytes(model_state_bytes(row.plan.memory, row.settings.plan.stage)); });
  add({"device", "total", ""}, [](Row const& row) { return in_gigabytes(row.device); });
  add_memory(columns, report);
  if (options.batch) {
    add({"model", "activa-", "tions"}, [](Row const& row) { return in_gigabytes(row.trainer->memory.activations); });
    if (options.inputs_on_host) {
      add({"pinned", "kept", "inputs"}, [](Row const& row) { return in_gigabytes(row.trainer->memory.pinned); });
    }
    add({"model", "scratch", ""},
        [](Row const& row) { return in_gigabytes(row.trainer->memory.scratch + row.trainer->memory.packed); });
    if (!options.cuda) add({"process", "total", ""}, [](Row const& row) { return in_gigabytes(row.needed()); });
  }
  add({"sent", "a step", ""}, [](Row const& row) { return in_gigabytes(row.plan.bytes_sent); });
  if (!options.memory && !options.host_memory) return columns;
  add({"", "fits", ""}, [](Row const& row) -> std::string {
    return row.sends_least ? "least" : *row.fits ? "yes" : "no";
  });
  return columns;
}

std::string in_units(int units) { return std::to_string(units) + (units == 1 ? " unit" : " units"); }

std::string heading(Report const& report) {
  auto const& options = report.options;
  auto const& specs = report.model.parameters.specs();
  std::string text = report.model.name + ": " + with_commas(report.parameter_elements) + " parameters in " +
                     in_units(specs.back().unit + 1) + "; AdamW, " + std::string(name(options.settings.types.compute)) +
                     ", sums in " + std::string(name(options.settings.types.sum));
  if (auto const bucket = options.settings.bucket_elements) text += ", buckets of " + with_commas(*bucket);
  if (options.worlds.size() == 1) text += "; world " + std::to_string(options.worlds.front());
  if (options.accumulations.size() == 1) {
    text += ", micro-batches of a step: " + std::to_string(options.accumulations.front());
  }
  if (auto const total = options.settings.micro_batches_per_step) {
    text += ", micro-batches of a step of all ranks: " + std::to_string(*total);
  }
  return text + "\n" + disclaimer + ", in GB (1e9 bytes).\n\n";
}

// Where the default's buckets are smaller than what published systems choose: by stage, since a parameter that is
// larger than a bucket costs memory at stages 2 and 3.
std::string advice(Report const& report) {
  Row const* smallest = nullptr;
  std::string stages;
  for (auto stage : report.options.stages) {
    Row const* of_stage = nullptr;
    for (auto const& row : report.rows) {
      bool const small = row.settings.plan.stage == stage && row.settings.plan.world > 1 &&
                         row.plan.bucket_elements < published_bucket_elements(report, row);
      if (small && (of_stage == nullptr || row.plan.bucket_elements < of_stage->plan.bucket_elements)) of_stage = &row;
    }
    if (of_stage == nullptr) continue;
    stages += (stages.empty() ? "" : ",") + std::to_string(static_cast<int>(stage));
    if (smallest == nullptr || of_stage->plan.bucket_elements < smallest->plan.bucket_elements) smallest = of_stage;
  }
  if (smallest == nullptr || report.options.settings.bucket_elements) return "";
  auto const published = published_bucket_elements(report, *smallest);
  return zero::detail::concat({"Buckets at stage ", stages, " are small for fast links: from ",
                               with_commas(smallest->plan.bucket_elements), " elements. --stage ", stages, " --bucket ",
                               published, "\nshows what those of Megatron-LM take; DeepSpeed's have up to ",
                               "500,000,000. Published figures:\nnot measured with this engine.\n"});
}

// What the columns do not say.
std::string notes(Report const& report) {
  auto const& options = report.options;
  std::string text = report.model.note.empty() ? "" : report.model.note + "\n";
  if (options.memory) {
    text += "Memory of the device: " + in_gigabytes(*options.memory) + " GB" +
            (options.batch ? ". " : ", of which activations take " + in_gigabytes(options.activations) + " GB. ");
    bool const any = std::any_of(report.rows.begin(), report.rows.end(), [](Row const& row) { return *row.fits; });
    text += any ? "least: fits, and sends least; of equals the one without offload that takes less.\n"
                : "Nothing fits: more ranks, smaller activations or a smaller model would.\n";
    if (!any) text += "The smallest of these takes " + smallest_of(options, report.rows) + ".\n";
  } else if (options.activations > 0) {
    text += "The device's total has " + in_gigabytes(options.activations) + " GB of activations.\n";
  }
  if (options.batch) {
    auto const& run = report.rows.front().trainer->run;
    text += zero::detail::concat({"The device's total has activations and scratch of train_gpt2 ",
                                  run.cuda ? "on a GPU" : "on the host", " for micro-batches of ", run.sequences, " x ",
                                  report.model.gpt2->context, " tokens, recompute ", recomputation_of(options, run),
                                  ".\n"});
  }
  bool const rings = std::any_of(options.stages.begin(), options.stages.end(),
                                 [](zero::Stage stage) { return stage >= zero::Stage::gradients; });
  if (rings && report.large_elements > 0) {
    text += "At stages 2 and 3, parameters larger than a bucket keep whole gradients in slots of their own, " +
            in_gigabytes(report.large_elements * element_size(options.settings.types.compute)) +
            " GB here: without --bucket they share the memory of a ring.\n";
  }
  if (options.settings.reduce == zero::Reduce::once_per_step) {
    text += "--reduce once_per_step keeps whole gradients, which stages 2 and 3 do not.\n";
  }
  return "\n" + text + "A checkpoint takes " + in_gigabytes(report.checkpoint_bytes) + " GB, all ranks together.\n" +
         advice(report);
}

}  // namespace

std::string to_table(Report const& report) {
  if (report.options.global_batch) return search_table(report);
  return heading(report) + lines_of(columns_of(report), report.rows.size()) + notes(report);
}

}  // namespace zero_plan
