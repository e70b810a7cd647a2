// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "summary.hpp"

#include "console.hpp"
#include "support/counted.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <sys/resource.h>

namespace training {
namespace {

void line(char const* what, std::string const& text) { say("  %-16s %s\n", what, text.c_str()); }

std::string rate(double items, double seconds, std::string const& name) {
  double const each_second = seconds > 0.0 ? items / seconds : 0.0;
  bool const is_slow = each_second > 0.0 && each_second < 100.0;  // where a whole number says too little
  return (is_slow ? formatted("%.1f", each_second) : with_separators(static_cast<std::uint64_t>(each_second))) + " " +
         name + "/s";
}

}  // namespace

std::size_t peak_of_process() {
  struct rusage usage {};
  (void)::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;  // which Linux counts in KiB
}

void RunSummary::step(StepRecord const& record) {
  training_ += record.seconds - record.data_seconds;
  data_ += record.data_seconds;
  evaluation_ += record.eval_seconds;
  items_ += record.items;
  if (record.mfu) utilized_ += *record.mfu * record.seconds;
  knows_peak_ = knows_peak_ || record.mfu;
}

std::string RunSummary::times(double total) const {
  std::string text = formatted("%.2f s: ", total);
  double rest = total;
  for (auto const& [name, seconds] :
       {std::pair{"training", training_}, {"data", data_}, {"evaluation", evaluation_}, {"saving", saving_}}) {
    text += std::string(name) + formatted(" %.2f, ", seconds);
    rest -= seconds;
  }
  return text + formatted("other %.2f", std::max(0.0, rest));
}

std::string RunSummary::speed(double total) const {
  double const steps = training_ + data_;
  auto text = rate(items_, total, items_name_) + " over all, " + rate(items_, steps, items_name_) + " in steps";
  if (knows_peak_) text += ", MFU " + formatted("%.2f %%", 100.0 * utilized_ / steps);
  return text;
}

void RunSummary::print(std::uint64_t steps, RunState const& state, RunEnd const& end) const {
  double const total = std::chrono::duration<double>(Clock::now() - start_).count();
  say("\nsummary\n");
  line("steps", with_separators(steps) + " of " + with_separators(options_.iterations) +
                    formatted(", %.2f epochs: ", state.epoch) + end.why);
  if (state.best_loss) {
    auto const where = state.best_step > 0 ? " after step " + with_separators(state.best_step) : std::string();
    line("best validation", json_number(state.best_loss) + where);
  }
  line("time", times(total));
  if (items_ > 0.0) line("speed", speed(total));
  if (end.memory) {
    line("memory", with_separators(end.memory->rank) + " bytes of a rank" +
                       (end.memory->is_of_engine ? "'s engine" : "") + " at most; a process has had " +
                       with_separators(end.memory->process) + " bytes");
  }
  if (!end.checkpoints.empty()) line("checkpoints", end.checkpoints);
  for (auto const& model : end.models) line("model", model);
  if (options_.log) line("log", *options_.log);
  for (auto const& folder : {options_.tensorboard, options_.csv, options_.json_lines}) {
    if (folder) line("curves", (std::filesystem::path(folder->output_path) / folder->job_name).string());
  }
  if (!end.profile.empty()) line("profile", end.profile);
}

}  // namespace training
