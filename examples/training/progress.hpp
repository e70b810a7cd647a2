// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <zero/profile/step_breakdown.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace training {

/// A loss of one of the data sets that a run validates on.
struct NamedLoss {
  std::string label;
  double loss = 0.0;
};

/// What a program measures beside the loss, such as an accuracy.
struct Measure {
  std::string name;  ///< in logs and curves
  double value = 0.0;
  std::string text;  ///< as the line on standard output says it; empty: not there
};

/// What became of one step.
struct StepRecord {
  std::uint64_t step = 0;               ///< from 1
  double loss = 0.0;                    ///< mean over the step's micro-batches
  std::optional<double> val_loss{};     ///< of an evaluation
  std::vector<NamedLoss> val_losses{};  ///< of an evaluation on several data sets, each
  std::vector<Measure> measured{};      ///< of the step
  std::vector<Measure> evaluated{};     ///< of an evaluation
  std::optional<double> train_loss{};   ///< of an evaluation, over training data
  double eval_seconds = 0.0;            ///< of an evaluation
  bool is_best = false;                 ///< of all validations so far
  std::optional<double> grad_norm{};    ///< nothing where the step was skipped
  double lr = 0.0;
  double loss_scale = 1.0;
  bool skipped = false;
  bool scales = false;                ///< a skipped step lowers the loss scale
  std::string bad_parameter{};        ///< of a skipped step: the first one whose gradient is not finite
  std::uint64_t skipped_in_row = 0;   ///< steps up to this one; 0 where it was not skipped
  std::uint64_t skipped_steps = 0;    ///< of the run up to here
  std::uint64_t zero_norm_steps = 0;  ///< in a row, this one included, whose gradient was exactly 0
  double items = 0.0;                 ///< what a program counts, such as tokens, of all ranks
  double items_per_second = 0.0;
  double seconds = 0.0;                  ///< of the step, on this rank: evaluation and saving are none of it
  double data_seconds = 0.0;             ///< of those, drawing the data
  std::optional<double> mfu{};           ///< share of the hardware's peak; nothing where that is not known
  std::uint64_t samples = 0;             ///< such as sequences, which all ranks have drawn up to here
  double epoch = 0.0;                    ///< items drawn up to here, divided by those of the training data
  bool in_doubt = false;                 ///< DivergenceGuard
  zero::profile::StepBreakdown times{};  ///< with --wall-clock-breakdown: of the steps that streams have ended since
                                         ///< the step before, which may be none where a GPU runs behind
};

/// What an evaluation has found: means over the same micro-batches every time, and on any number of ranks.
struct Evaluation {
  double val_loss = 0.0;                ///< of several data sets their mean by weight
  std::vector<NamedLoss> val_losses{};  ///< of several data sets each, else none
  std::optional<double> train_loss{};   ///< nothing where no training data are evaluated
  double seconds = 0.0;
};

/// An average in which recent values count most, so that it follows a machine whose load changes.
class Average {
 public:
  void add(double value) noexcept {
    constexpr double kept = 0.95;
    sum_ = kept * sum_ + (1.0 - kept) * value;
    weight_ = kept * weight_ + (1.0 - kept);
  }
  /// 0 before there is a value.
  [[nodiscard]] double value() const noexcept { return weight_ > 0.0 ? sum_ / weight_ : 0.0; }

 private:
  double sum_ = 0.0, weight_ = 0.0;
};

/// A number as JSON: the fewest digits that read back to the same bits; null where it is not finite.
[[nodiscard]] std::string json_number(std::optional<double> value);

/// A number in a format of printf's, in at most 63 characters. A NaN has no sign that would tell anything.
[[nodiscard]] std::string formatted(char const* format, double number);

/// Says on standard output how training goes: on a terminal a status line, and lines that stay at validations and at
/// the end; elsewhere, and where --log-interval asks for them, lines in between.
class Progress {
 public:
  /// \p items: what a program counts, such as "tokens".
  Progress(CommonOptions const& options, std::string items);
  /// Whether the line stays.
  bool step(StepRecord const& record);

 private:
  [[nodiscard]] std::vector<std::string> fields(StepRecord const& record) const;

  std::string items_;
  std::uint64_t iterations_;
  std::uint64_t interval_;  ///< steps between two lines that stay; 0: none
  Average step_seconds_;    ///< of all that a step takes, validations and saves too: for the time that is left
  Average train_seconds_;   ///< of training alone: for the speed
  double last_time_ = -1.0;
};

/// " (a 1.5, b 2.5)", or nothing where there are none.
[[nodiscard]] std::string in_brackets(std::vector<NamedLoss> const& losses);

/// 1234567 as "1,234,567".
[[nodiscard]] std::string with_separators(std::uint64_t number);

}  // namespace training
