// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "console.hpp"
#include "options.hpp"
#include "progress.hpp"
#include "rank_texts.hpp"

#include <zero/profile/communication_log.hpp>
#include <zero/profile/memory.hpp>
#include <zero/profile/profiler.hpp>
#include <zero/profile/step_breakdown.hpp>
#include <zero/profile/trace.hpp>
#include <zero/utility/trace.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace training {

/// Where the trace of --profile goes.
[[nodiscard]] inline std::string profile_file(CommonOptions const& options) {
  if (options.profile_file) return *options.profile_file;
  if (!options.checkpoint_dir) return "profile.json";
  return (std::filesystem::path(*options.checkpoint_dir) / "profile.json").string();
}

/// What the options ask to be told of the time and memory of a run, on one rank. Every rank makes the same calls.
template <class Trainer>
class RunProfile {
 public:
  using Communicator = typename Trainer::Communicator;

  /// All are borrowed.
  RunProfile(Communicator& ranks, CommonOptions const& options, Trainer& trainer)
      : ranks_(ranks), options_(options), trainer_(trainer) {
    memory("after the model was made");
  }

  /// Before step number \p step, from 1.
  void before_step(std::uint64_t step) {
    auto const& steps = options_.profile;
    if (!steps || keeps_ || written_ || step < steps->first || step > steps->last) return;
    trainer_.profiler()->keep_spans(std::size_t{1} << 18);
    keeps_ = true;
  }
  /// Takes the times of steps that have ended into \p record.
  void take_times(StepRecord& record) {
    if (!options_.wall_clock_breakdown || !speaks()) return;
    record.times = trainer_.profiler()->take_steps();
    untold_ += record.times;
  }
  /// After it; \p stays where its line on standard output does. Collective.
  void after_step(std::uint64_t step, bool stays) {
    if (stays && untold_.steps > 0) say("time: %s\n", to_line(std::exchange(untold_, {})).c_str());
    if (keeps_ && step == options_.profile->last) write_trace();
    if (!std::exchange(had_step_, true)) memory("after the first step");
  }
  /// At the end of the run, also where a signal has stopped it. Collective.
  void finish() {
    if (keeps_) write_trace();
    if (options_.comms_log) {
      trainer_.profiler()->drain();
      auto& log = trainer_.profiler()->communication();
      auto const& chosen = options_.logged_collectives;
      if (speaks()) warn_of_unknown(chosen, log);
      if (!chosen.empty()) log.keep_only(chosen);
      if (speaks()) say("\ncollectives of rank 0\n%s", to_table(log).c_str());
    }
    memory("at the end");
  }
  /// Where the profile was written; empty where there is none.
  [[nodiscard]] std::string const& file() const noexcept { return file_; }

 private:
  [[nodiscard]] bool speaks() const { return ranks_.rank() == 0; }

  /// A name that no collective has would leave a table without a row, and nobody the wiser.
  static void warn_of_unknown(std::vector<std::string> const& chosen, zero::profile::CommunicationLog const& log) {
    std::string known;
    for (auto const& entry : log.entries()) {
      std::string const name(entry.operation);
      if (known.find(name) == std::string::npos) known.append(known.empty() ? "" : ", ").append(name);
    }
    for (auto const& name : chosen) {
      auto const has_name = [&](auto const& entry) { return entry.operation == name; };
      if (std::any_of(log.entries().begin(), log.entries().end(), has_name)) continue;
      std::string text = "comms_logger.prof_ops: the run had no collective \"";
      console().warn(text.append(name).append("\"; it had ").append(known));
    }
  }

  void memory(std::string_view point) {
    if (options_.memory_breakdown && speaks()) say("%s\n", to_line(point, trainer_.memory_use()).c_str());
  }

  // Ranks of one machine share its clock.
  void write_trace() {
    keeps_ = false;
    written_ = true;
    auto& profiler = *trainer_.profiler();
    profiler.stop_keeping();
    profiler.drain();
    auto const spans = profiler.take_spans();
    std::int64_t first = zero::profile::first_begin(spans);
    std::vector<std::int64_t> firsts(static_cast<std::size_t>(ranks_.size()));
    ranks_.exchange(std::as_bytes(std::span(&first, 1)), std::as_writable_bytes(std::span(firsts)));
    if (ranks_.local_size() == ranks_.size()) first = *std::min_element(firsts.begin(), firsts.end());
    auto const events = trace_of(std::span(spans), profiler, ranks_.rank(), first);
    auto const parts = texts_of_all(ranks_, trace_part(events, zero::TraceUnit::nanosecond));
    if (!speaks()) return;
    auto const path = profile_file(options_);
    std::ofstream file(path);
    zero::write_trace(parts, file);
    file.close();
    if (!file) return console().warn("--profile: " + path + " could not be written; the run goes on");
    file_ = path;
    say("profile: %s, for ui.perfetto.dev\n", path.c_str());
    if (profiler.dropped() > 0) {
      say("profile: %llu spans had no room: profile fewer steps\n",
          static_cast<unsigned long long>(profiler.dropped()));
    }
  }

  Communicator& ranks_;
  CommonOptions const& options_;
  Trainer& trainer_;
  bool keeps_ = false;  // spans, now
  bool written_ = false;
  bool had_step_ = false;
  zero::profile::StepBreakdown untold_{};
  std::string file_;
};

}  // namespace training
