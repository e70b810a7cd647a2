// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "models.hpp"
#include "options.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace zero_plan {

/// One setting and what the engine says of it.
struct Row {
  Settings settings;
  zero::Plan plan;
  std::uint64_t device = 0;    ///< bytes, the trainer's activations among them
  std::uint64_t host = 0;      ///< bytes, pinned and pageable
  std::optional<bool> fits{};  ///< where the memory is known
  bool sends_least = false;    ///< of those of its world and accumulation that fit
};

/// All that is written, in one way or another.
struct Report {
  Options options;
  Model model;
  std::vector<Row> rows;
  std::size_t parameter_elements = 0;
  std::uint64_t checkpoint_bytes = 0;  ///< of all ranks: parameters and states in fp32
  std::size_t large_elements = 0;      ///< of parameters used once that are larger than --bucket
};

/// Plans every setting that the options ask for. \throws as zero::plan_step.
[[nodiscard]] Report make_report(Options options, Model model);

/// \name A report for people, for programs and as a picture.
/// @{
[[nodiscard]] std::string to_table(Report const& report);
[[nodiscard]] std::string to_json(Report const& report);
[[nodiscard]] std::string to_svg(Report const& report);
/// @}

/// What is said of every figure.
inline constexpr char const* disclaimer =
    "Every figure is a prediction, by a run of this engine without storage: of one rank, all of which are alike";

/// The smallest bucket that published systems choose for fast links: 40 million elements, or a million for each rank if
/// that is more (Megatron-LM; DeepSpeed's are larger), and no more than the model has. Not measured with this engine.
[[nodiscard]] std::size_t published_bucket_elements(Report const& report, Row const& row);

/// Bytes in GB (1e9 bytes), with four digits.
[[nodiscard]] std::string in_gigabytes(std::uint64_t bytes);

}  // namespace zero_plan
