// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "models.hpp"
#include "options.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zero_plan {

/// What train_gpt2 takes beside the engine, where that is known.
struct TrainerMemory {
  Gpt2Run run{};
  Gpt2Memory memory{};        ///< of a rank
  std::uint64_t process = 0;  ///< on the host: of all ranks, engines and all else
};

/// One setting and what the engine says of it.
struct Row {
  Settings settings;
  zero::Plan plan;
  std::optional<TrainerMemory> trainer{};
  std::uint64_t device = 0;    ///< bytes, the trainer's activations among them
  std::uint64_t host = 0;      ///< bytes, pinned and pageable
  std::optional<bool> fits{};  ///< where the memory is known
  bool sends_least = false;    ///< of those of its world and accumulation that fit

  /// What of \p device is not the engine's.
  [[nodiscard]] std::uint64_t activations() const noexcept {
    return device - plan.memory.bytes(zero::MemoryKind::device);
  }
  /// What a memory must have: of a GPU, or of a machine for all ranks.
  [[nodiscard]] std::uint64_t needed() const noexcept {
    return trainer && !trainer->run.cuda ? trainer->process : device;
  }
};

/// What was found for one memory, the best setting first.
struct Finding {
  std::uint64_t memory = 0;
  std::vector<Row> rows{};  ///< those that fit, each with its largest micro-batch; then others with one sequence
  std::size_t fitting = 0;  ///< how many fit
};

/// All that is written, in one way or another.
struct Report {
  Options options;
  Model model;
  std::vector<Row> rows;
  std::vector<Finding> findings{};  ///< of a search, in place of rows
  std::size_t parameter_elements = 0;
  std::size_t largest_elements = 0;    ///< of the largest parameter
  std::uint64_t checkpoint_bytes = 0;  ///< of all ranks: parameters and states in fp32
  std::size_t large_elements = 0;      ///< of parameters used once that are larger than --bucket
};

/// The engine's settings of one row.
[[nodiscard]] Settings settings_of(Options const& options, int world, std::optional<int> accumulation,
                                   zero::Stage stage, bool offload);

/// What the backward pass of \p run gathers of \p model, for the plan of \p settings.
void set_gathers(Settings& settings, Model const& model, Gpt2Run const& run);

/// Plans every setting that the options ask for. \throws as zero::plan_step.
[[nodiscard]] Report make_report(Options options, Model model);

/// A report without rows, once the model has been measured. \throws UsageError.
[[nodiscard]] Report begin_report(Options options, Model model);

/// One row. \throws as zero::plan_step.
[[nodiscard]] Row make_row(Report const& report, Settings const& settings, zero::Plan const& plan,
                           std::optional<Gpt2Run> const& run);

/// Which of two rows is the better one.
[[nodiscard]] bool sends_less(Row const& a, Row const& b);

/// For each memory of the options, the largest micro-batch of every setting. \throws as zero::plan_step.
[[nodiscard]] Report search(Options options, Model model);

/// The first setting that was found, as a configuration that train_gpt2 takes. \throws zero::config::ConfigError for
/// what none can say.
[[nodiscard]] std::string to_configuration(Report const& report);

/// The command line that runs the first setting that was found with the configuration \p file.
[[nodiscard]] std::string command_of(Report const& report, std::string const& file);

/// \name A report for people, for programs and as a picture.
/// @{
[[nodiscard]] std::string to_table(Report const& report);
[[nodiscard]] std::string to_json(Report const& report);
[[nodiscard]] std::string to_svg(Report const& report);
[[nodiscard]] std::string search_table(Report const& report);
/// @}

/// What is said of every figure.
inline constexpr char const* disclaimer =
    "Every figure is a prediction, by a run of this engine without storage: of one rank, all of which are alike";

/// The smallest bucket that published systems choose for fast links: 40 million elements, or a million for each rank if
/// that is more (Megatron-LM; DeepSpeed's are larger), and no more than the model has. Not measured with this engine.
[[nodiscard]] std::size_t published_bucket_elements(Report const& report, Row const& row);

/// As in "block, from 3 kept inputs in pinned host memory".
[[nodiscard]] std::string recomputation_of(Options const& options, Gpt2Run const& run);

/// What the smallest of \p rows takes, of which there is one.
[[nodiscard]] std::string smallest_of(Options const& options, std::span<Row const> rows);

/// Bytes in GB (1e9 bytes), with four digits.
[[nodiscard]] std::string in_gigabytes(std::uint64_t bytes);

}  // namespace zero_plan
