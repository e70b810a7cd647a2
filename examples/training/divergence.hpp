// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "progress.hpp"

#include <zero/error.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace training {

/// Judges whether a run has diverged: no gradient was finite in a number of steps, one after another, or in the last
/// ones, where a run that is shorter ends. Where a scaler lowers the loss scale after each, that scaler judges it. The
/// engine's own limit (`max_skipped_steps`) knows no end of a run.
class DivergenceGuard {
 public:
  /// \p most: steps; 0: never.
  DivergenceGuard(std::uint64_t most, bool scales) : most_(scales ? 0 : most) {}

  /// What the run is to end with after \p record, if it has diverged. \p is_last: it ends anyway.
  [[nodiscard]] std::optional<zero::DivergenceError> judge(StepRecord const& record, bool is_last) const {
    auto const skipped = record.skipped_in_row;
    bool const ends = skipped >= most_ || is_last;
    if (!is_in_doubt(record) || !ends) return std::nullopt;
    return zero::DivergenceError(
        "training has diverged at step " + std::to_string(record.step - skipped + 1) + ": no gradient of the last " +
        (skipped == 1 ? "step" : std::to_string(skipped) + " steps") + " is finite, '" + record.bad_parameter +
        "' first: " + (record.loss_scale == 1.0 ? "" : "lower --loss-scale, ") + "lower --lr, or raise --warmup");
  }

  /// Whether what \p record has left may be of no use: then it is not saved in the place of what is.
  [[nodiscard]] bool is_in_doubt(StepRecord const& record) const noexcept {
    return most_ > 0 && record.skipped_in_row > 0;
  }

 private:
  std::uint64_t most_;
};

/// Says where losses tell of a run that goes wrong while its gradients are finite. For the rank that speaks.
class LossWatch {
 public:
  /// \p choices of which one is right: the vocabulary, or the classes; \p lowest: a loss that an earlier part of the
  /// run has had.
  LossWatch(std::size_t choices, std::optional<double> lowest)
      : guess_(std::log(static_cast<double>(choices))), lowest_(lowest) {}

  /// A sentence, where \p record is the first of a row that needs one.
  [[nodiscard]] std::optional<std::string> judge(StepRecord const& record) {
    if (record.val_loss) {
      bool const was_finite = std::exchange(is_finite_, std::isfinite(*record.val_loss));
      if (was_finite && !is_finite_ && !record.skipped) {
        return "the validation loss is not finite, though the gradient was: lower --lr, or raise --warmup";
      }
    }
    if (record.skipped) return std::nullopt;
    bool const was_worse = std::exchange(is_worse_, lowest_ && *lowest_ < 1.1 * guess_ && record.loss > 1.5 * guess_);
    auto const before = lowest_;
    if (!lowest_ || record.loss < *lowest_) lowest_ = record.loss;
    if (was_worse || !is_worse_) return std::nullopt;
    return "the loss explodes: it is " + rounded(record.loss) + ", was " + rounded(*before) + ", and guessing has " +
           rounded(guess_) + ": lower --lr, or raise --warmup";
  }

 private:
  static std::string rounded(double loss) { return formatted("%.4g", loss); }

  double guess_;  ///< the loss of a model that gives every choice the same probability
  std::optional<double> lowest_;
  bool is_finite_ = true, is_worse_ = false;
};

}  // namespace training
