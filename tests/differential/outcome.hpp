// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace differential {

using Values = std::vector<std::vector<float>>;  ///< of each parameter

/// What a step leaves for somebody who looks.
struct StepOutcome {
  bool told = true;           ///< false: the report was an error, because the loss scale is at its minimum
  std::uint64_t updates = 0;  ///< done so far
  std::uint64_t skipped = 0;  ///< steps so far
  bool skips = false;         ///< this step
  double norm = 0.0, clip = 1.0;
  float scale = 1.0F, next_scale = 1.0F;
  bool at_minimum = false;
  int bad_parameter = -1;  ///< by registration; -1: none
  Values gradients;        ///< read by name, where they were
  Values seen;             ///< gathered, where they were; in the compute type
};

/// What a run leaves.
struct Outcome {
  std::vector<StepOutcome> steps;
  Values values;               ///< master parameters
  std::vector<Values> states;  ///< of the rule; none of a frozen parameter
};

/// The first place where two outcomes have other bits, as text; empty where there is none. NaN equals NaN: payloads are
/// not promised.
[[nodiscard]] std::string first_difference(Outcome const& expected, Outcome const& got);

}  // namespace differential
