// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"
#include "progress.hpp"
#include "run_options.hpp"

#include <zero/memory_report.hpp>
#include <zero/monitor/monitors.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace training {

/// What a loss is the mean of: that of tokens has a perplexity.
enum class LossKind : std::uint8_t { of_tokens, of_classes };

/// Whether a run has curves at all.
[[nodiscard]] bool has_curves(CommonOptions const& options);

/// What a run writes through the library's monitors, on rank 0: docs/monitoring.md lists the tags. The x axis of all is
/// the number of samples, such as sequences, that the run has drawn.
class Curves {
 public:
  /// None.
  Curves() = default;
  /// Those that \p options ask for, which are borrowed. Touches no file yet. \throws UsageError where the job's name is
  /// none for a folder, and where a new run would write into the curves of another one. \p items: what the program
  /// counts, such as "tokens".
  Curves(CommonOptions const& options, std::string items, LossKind kind);

  /// Takes their folders for this run alone. \throws UsageError where another run writes there, or has done so since.
  void claim();

  /// Opens them for a run that has drawn \p samples before: what an earlier part of the run has written up to there
  /// stays, and what came after is cut off. A new run begins with empty ones, and says whose it removes. \p settings,
  /// and the configuration that the options are, are written as texts.
  void begin(std::uint64_t samples, NamedOptions const& settings);
  /// After the step with which the run has drawn \p samples.
  void step(StepRecord const& record, std::uint64_t samples);
  /// Before there is a step: what an evaluation has found.
  void evaluation(StepRecord const& record, std::uint64_t samples);
  /// Bytes of this rank: the engine's by kind, and \p others, by the last part of their tags.
  void memory(zero::MemoryReport const& engine, std::vector<std::pair<std::string, std::size_t>> const& others,
              std::uint64_t samples);
  /// Waits until all is in the files, for a second at most: training is not to wait for a network's file system that
  /// hangs.
  void flush();

 private:
  void refuse_others() const;

  CommonOptions const* options_ = nullptr;
  std::string items_;
  LossKind kind_ = LossKind::of_tokens;
  zero::monitor::Monitors monitors_;
};

}  // namespace training
