// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "report.hpp"
#include "text_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace zero_plan {
namespace {

using zero::MemoryKind;

std::string search_heading(Report const& report) {
  auto const& options = report.options;
  auto const& types = options.settings.types;
  auto const units = static_cast<std::uint64_t>(report.model.parameters.specs().back().unit) + 1;
  return zero::detail::concat({report.model.name, ": ", with_commas(report.parameter_elements), " parameters in ",
                               units, " units; AdamW, ", name(types.compute), ", sums in ", name(types.sum), "; world ",
                               options.worlds.front(), ", a step of ", *options.global_batch, " x ",
                               with_commas(report.model.gpt2->context), " tokens ",
                               options.cuda ? "on GPUs" : "on the host", "\n"}) +
         disclaimer + ", in GB (1e9 bytes).\n";
}

std::vector<Column> columns_of(Finding const& finding, Options const& options) {
  std::vector<Column> columns;
  auto const add = [&](std::array<std::string, 3> header, auto&& cell) {
    columns.push_back(column_of(finding.rows, std::move(header), cell));
  };
  auto const in_kinds = [](Row const& row, auto... kinds) {
    return in_gigabytes((row.plan.memory.bytes(kinds) + ...));
  };
  add({"", "stage", ""}, [](Row const& row) { return std::to_string(static_cast<int>(row.settings.plan.stage)); });
  add({"", "offload", ""}, [](Row const& row) -> std::string { return row.settings.plan.offload ? "cpu" : "none"; });
  add({"", "recompute", ""}, [](Row const& row) { return std::string(name(row.trainer->run.recompute)); });
  add({"micro-", "batch", ""}, [](Row const& row) { return std::to_string(row.trainer->run.sequences); });
  add({"accumu-", "lation", ""}, [](Row const& row) { return std::to_string(rounds(row.settings)); });
  add({options.cuda ? "device" : "process", "total", ""}, [](Row const& row) { return in_gigabytes(row.needed()); });
  add({"device", "engine", ""}, [&](Row const& row) { return in_kinds(row, MemoryKind::device); });
  add({"activa-", "tions", ""}, [](Row const& row) { return in_gigabytes(row.trainer->memory.activations); });
  add({"", "scratch", ""},
      [](Row const& row) { return in_gigabytes(row.trainer->memory.scratch + row.trainer->memory.packed); });
  add({"host", "engine", ""}, [&](Row const& row) { return in_kinds(row, MemoryKind::pinned, MemoryKind::pageable); });
  if (options.inputs_on_host) {
    add({"pinned", "kept", "inputs"}, [](Row const& row) { return in_gigabytes(row.trainer->memory.pinned); });
  }
  add({"sent", "a step", ""}, [](Row const& row) { return in_gigabytes(row.plan.bytes_sent); });
  add({"", "fits", ""}, [](Row const& row) -> std::string {
    return row.sends_least ? "least" : *row.fits ? "yes" : "no";
  });
  return columns;
}

}  // namespace

std::string search_table(Report const& report) {
  bool const cuda = report.options.cuda;
  std::string text = search_heading(report);
  bool some = false, all = true;
  for (auto const& finding : report.findings) {
    text += std::string("\nMemory of ") + (cuda ? "a device" : "the machine") + ": " + in_gigabytes(finding.memory) +
            " GB\n" + lines_of(columns_of(finding, report.options), finding.rows.size());
    if (finding.fitting == 0)
      text += "Nothing fits. The smallest takes " + smallest_of(report.options, finding.rows) + ".\n";
    some = some || finding.fitting > 0;
    all = all && finding.fitting == finding.rows.size();
  }
  text += "\n";
  if (some) {
    text +=
        "least: fits, and sends least; of equals the one that computes nothing again, has no offload, and then the "
        "larger\nmicro-batch. ";
  }
  if (!all) text += "no: what one sequence at a time takes. ";
  text += cuda ? "Not in it: CUDA's context and libraries.\n"
               : "A process: all ranks as threads, the program and what\nreads the largest parameter; not the data.\n";
  return text + "A checkpoint takes " + in_gigabytes(report.checkpoint_bytes) + " GB, all ranks together.\n";
}

}  // namespace zero_plan
