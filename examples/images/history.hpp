// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "batch_score.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace images {

/// Scores added up: over the pictures of an epoch, or of an evaluation.
class Tally {
 public:
  void add(BatchScore const& score) noexcept;
  void add(Tally const& other) noexcept;

  [[nodiscard]] std::uint64_t pictures() const noexcept { return pictures_; }
  /// \name Means over the pictures; 0 where there are none.
  /// @{
  [[nodiscard]] double loss() const noexcept { return mean(loss_); }
  [[nodiscard]] double accuracy() const noexcept { return mean(static_cast<double>(correct_)); }
  [[nodiscard]] double accuracy_top5() const noexcept { return mean(static_cast<double>(correct_top5_)); }
  /// @}

  /// One line of text, which `parse` reads back to the same bits.
  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] static Tally parse(std::string const& text);

 private:
  [[nodiscard]] double mean(double sum) const noexcept;

  double loss_ = 0.0;
  std::uint64_t pictures_ = 0, correct_ = 0, correct_top5_ = 0;
};

/// One epoch of a run.
struct EpochRecord {
  std::uint64_t epoch = 0;  ///< from 1
  double train_loss = 0.0, train_accuracy = 0.0;
  double val_loss = 0.0, val_accuracy = 0.0, val_accuracy_top5 = 0.0;
  double lr = 0.0;       ///< of its last step
  double seconds = 0.0;  ///< of its steps and its validation, in this process
};

/// The epochs of a run, as scripts that train image classifiers write them: an object of lists, which zero-plot draws.
class History {
 public:
  /// Adds \p record in the place of those that are not before it.
  void add(EpochRecord const& record);
  [[nodiscard]] std::vector<EpochRecord> const& epochs() const noexcept { return epochs_; }

  /// epoch, train_loss, train_acc, val_loss, val_acc, val_acc_top5, learning_rates, epoch_times.
  [[nodiscard]] std::string to_json() const;
  /// What `to_json` has written. \throws DataError.
  [[nodiscard]] static History parse(std::string const& json);

 private:
  std::vector<EpochRecord> epochs_;
};

/// Writes it, complete or not at all; what goes wrong is a warning, which a run does not end for. For the rank that
/// speaks.
class HistoryFile {
 public:
  /// \throws UsageError where \p path cannot be written.
  explicit HistoryFile(std::optional<std::string> path);
  void write(History const& history);

 private:
  std::optional<std::string> path_;
  bool warned_ = false;
};

}  // namespace images
