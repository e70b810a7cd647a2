// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace gpt2 {

/// What became of one step.
struct StepRecord {
  std::uint64_t step = 0;  ///< from 1
  double loss = 0.0;       ///< mean over the step's micro-batches
  std::optional<double> val_loss{};
  double grad_norm = 0.0;
  double lr = 0.0;
  double loss_scale = 1.0;
  bool skipped = false;
  double tokens_per_second = 0.0;
};

/// A number as JSON: the fewest digits that read back to the same bits; null where it is not finite.
[[nodiscard]] std::string json_number(std::optional<double> value);

/// A log in JSON Lines. Opened before training, so that a path that cannot be written costs nothing.
class RunLog {
 public:
  /// \throws UsageError when the file cannot be written.
  /// \p continues: adds to what an earlier part of the run has written.
  RunLog(std::optional<std::string> const& path, bool continues);
  void step(StepRecord const& record);
  void parameter_hash(std::uint64_t hash);

 private:
  void write(std::string const& line);

  std::ofstream file_;
  std::string path_;
};

/// Says on standard output how training goes: one line that is written again and again on a terminal, else plain lines
/// at validations and twenty times in a run.
class Progress {
 public:
  Progress(std::uint64_t iterations, bool terminal) : iterations_(iterations), terminal_(terminal) {}
  void step(StepRecord const& record);

 private:
  [[nodiscard]] std::string line(StepRecord const& record) const;

  std::uint64_t iterations_;
  bool terminal_;
  double seconds_per_step_ = 0.0;
  double last_time_ = -1.0;
};

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_separators(std::uint64_t number);

}  // namespace gpt2
