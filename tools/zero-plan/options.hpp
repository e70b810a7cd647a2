// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "planner.hpp"
#include "support/command_line.hpp"
#include "support/data_error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zero_plan {

using command_line::DataError;
using command_line::UsageError;

/// What `zero-plan` is asked for. Lists are what the table has rows for.
struct Options {
  std::optional<std::string> model, shapes;
  std::vector<std::string> safetensors, tied, skipped;
  std::vector<int> worlds{1};
  std::vector<int> accumulations;   ///< micro-batches of each rank; empty: the settings say how many the world has
  std::vector<zero::Stage> stages;  ///< as asked for; empty: all that the other options leave
  std::vector<bool> offloads{false, true};
  Settings settings{};                         ///< what is the same in all rows
  zero::CpuOffload::Config offload{};          ///< of the rows with offload
  std::optional<std::uint64_t> memory{};       ///< bytes of one device
  std::optional<std::uint64_t> host_memory{};  ///< bytes that one rank may use on the host
  std::uint64_t activations = 0;               ///< bytes that the trainer needs beside the engine
  std::optional<std::string> json, plot;
  command_line::Asked asked{};
};

/// Reads a command line without the program's name. \throws UsageError.
[[nodiscard]] Options parse_options(std::span<char const* const> arguments);

/// The program and its options.
[[nodiscard]] command_line::Command<Options> const& command();

}  // namespace zero_plan
