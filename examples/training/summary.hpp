// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"
#include "progress.hpp"
#include "run_state.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace training {

/// The largest of all ranks.
struct PeakMemory {
  std::size_t rank = 0;       ///< bytes of one rank's engine and model
  std::size_t process = 0;    ///< bytes that one process has had in memory at once
  bool is_of_engine = false;  ///< `rank` is the engine's alone: nobody counts the model's
};

/// What a summary cannot know from steps alone.
struct RunEnd {
  std::string why;
  std::optional<PeakMemory> memory{};
  std::string checkpoints{};  ///< where they are
  std::vector<std::string> models{};
  std::string profile{};  ///< its file, where there is one
};

/// Bytes that this process has had in memory at once.
[[nodiscard]] std::size_t peak_of_process();

/// What a run says when it ends: how far it has come, where its time went and where its files are. For the rank that
/// speaks; its clock starts when it is made.
class RunSummary {
 public:
  using Clock = std::chrono::steady_clock;

  /// \p items: what the program counts, such as "tokens".
  RunSummary(CommonOptions const& options, std::string items) : options_(options), items_name_(std::move(items)) {}

  /// Before the first step.
  void evaluated(double seconds) { evaluation_ += seconds; }
  void step(StepRecord const& record);
  /// Calls \p f, whose time is that of saving.
  template <class F>
  decltype(auto) saving(F const& f) {
    struct Timer {
      double& seconds;
      Clock::time_point start = Clock::now();
      ~Timer() { seconds += std::chrono::duration<double>(Clock::now() - start).count(); }
    } const timer{saving_};
    return f();
  }
  /// \p steps of the run are done, those before a resume included.
  void print(std::uint64_t steps, RunState const& state, RunEnd const& end) const;

 private:
  [[nodiscard]] std::string times(double total) const;
  [[nodiscard]] std::string speed(double total) const;

  CommonOptions const& options_;
  std::string items_name_;
  Clock::time_point start_ = Clock::now();
  double training_ = 0.0, data_ = 0.0, evaluation_ = 0.0, saving_ = 0.0;  // seconds
  double items_ = 0.0, utilized_ = 0.0;                                   // of the steps here
  bool knows_peak_ = false;
};

}  // namespace training
