// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "progress.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace gpt2 {

/// A run whose gradients are not finite any more.
class DivergenceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Judges whether a run has diverged: no gradient was finite in a number of steps, one after another, or in the last
/// ones. Where a scaler lowers the loss scale after each, that scaler judges it.
class DivergenceGuard {
 public:
  /// \p most: steps; 0: never. \p iterations: of the run.
  DivergenceGuard(std::uint64_t most, std::uint64_t iterations, bool scales)
      : most_(scales ? 0 : most), iterations_(iterations) {}

  /// Takes one step after the other. What the run is to end with, if it has diverged.
  [[nodiscard]] std::optional<DivergenceError> step(StepRecord const& record) {
    skipped_ = record.skipped ? skipped_ + 1 : 0;
    if (skipped_ == 1) first_ = record.step, parameter_ = record.bad_parameter;
    bool const ends = skipped_ >= most_ || record.step == iterations_;
    if (most_ == 0 || skipped_ == 0 || !ends) return std::nullopt;
    return DivergenceError("training has diverged at step " + std::to_string(first_) + ": no gradient of the last " +
                           (skipped_ == 1 ? "step" : std::to_string(skipped_) + " steps") + " is finite, '" +
                           parameter_ + "' first: lower --lr, or raise --warmup");
  }

  /// Whether what the last step has left may be of no use: then it is not saved in the place of what is.
  [[nodiscard]] bool is_in_doubt() const noexcept { return most_ > 0 && skipped_ > 0; }

 private:
  std::uint64_t most_, iterations_;
  std::uint64_t skipped_ = 0, first_ = 0;  // in a row
  std::string parameter_;
};

}  // namespace gpt2
