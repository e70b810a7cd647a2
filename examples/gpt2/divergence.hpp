// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "progress.hpp"

#include <zero/error.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace gpt2 {

/// Judges whether a run has diverged: no gradient was finite in a number of steps, one after another, or in the last
/// ones, where a run that is shorter ends. Where a scaler lowers the loss scale after each, that scaler judges it. The
/// engine's own limit (`max_skipped_steps`) knows no end of a run.
class DivergenceGuard {
 public:
  /// \p most: steps; 0: never. \p iterations: of the run.
  DivergenceGuard(std::uint64_t most, std::uint64_t iterations, bool scales)
      : most_(scales ? 0 : most), iterations_(iterations) {}

  /// What the run is to end with after \p record, if it has diverged.
  [[nodiscard]] std::optional<zero::DivergenceError> judge(StepRecord const& record) const {
    auto const skipped = record.skipped_in_row;
    bool const ends = skipped >= most_ || record.step == iterations_;
    if (!is_in_doubt(record) || !ends) return std::nullopt;
    return zero::DivergenceError("training has diverged at step " + std::to_string(record.step - skipped + 1) +
                                 ": no gradient of the last " +
                                 (skipped == 1 ? "step" : std::to_string(skipped) + " steps") + " is finite, '" +
                                 record.bad_parameter + "' first: lower --lr, or raise --warmup");
  }

  /// Whether what \p record has left may be of no use: then it is not saved in the place of what is.
  [[nodiscard]] bool is_in_doubt(StepRecord const& record) const noexcept {
    return most_ > 0 && record.skipped_in_row > 0;
  }

 private:
  std::uint64_t most_, iterations_;
};

}  // namespace gpt2
