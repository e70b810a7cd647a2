// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "gpt2_memory.hpp"
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

/// A size of a GPT-2, as far as it is given.
struct Gpt2Options {
  std::optional<std::size_t> layers{}, heads{}, width{}, context{}, vocabulary{};
};

/// What `zero-plan` is asked for. Lists are what the table has rows for.
struct Options {
  std::optional<std::string> model, shapes;
  std::vector<std::string> safetensors, tied, skipped;
  std::vector<int> worlds{1};
  std::vector<int> accumulations;   ///< micro-batches of each rank; empty: the settings say how many the world has
  std::vector<zero::Stage> stages;  ///< as asked for; empty: all that the other options leave
  std::vector<bool> offloads{false, true};
  Settings settings{};                          ///< what is the same in all rows
  zero::CpuOffload::Config offload{};           ///< of the rows with offload
  std::optional<std::uint64_t> memory{};        ///< bytes of one device
  std::vector<std::uint64_t> memories{};        ///< of several devices, to search for; `memory` is the first
  std::optional<std::uint64_t> host_memory{};   ///< bytes that one rank may use on the host
  std::uint64_t activations = 0;                ///< bytes that the trainer needs beside the engine
  Gpt2Options gpt2{};                           ///< what a GPT-2 has otherwise than its name says
  std::optional<std::uint64_t> batch{};         ///< sequences of a micro-batch of train_gpt2
  std::optional<std::uint64_t> global_batch{};  ///< sequences of a step of all ranks: settings are searched for it
  std::vector<Recompute> recomputes{};          ///< as asked for; empty: none in a row, all in a search
  std::optional<std::uint64_t> kept_inputs{};   ///< of segments that are computed again; empty: of each block
  bool inputs_on_host = false;                  ///< kept inputs go to pinned host memory
  double dropout = 0.0;                         ///< share of elements that train_gpt2 drops
  bool cuda = true;                             ///< train_gpt2 computes on GPUs
  std::optional<std::string> json, plot, write_config;
  command_line::Asked asked{};
};

/// Whether activations are those of train_gpt2, by formula.
[[nodiscard]] inline bool knows_activations(Options const& options) { return options.batch || options.global_batch; }

/// How train_gpt2 computes micro-batches of \p sequences. What is asked for of blocks holds for Recompute::block alone.
[[nodiscard]] Gpt2Run run_of(Options const& options, std::uint64_t sequences, Recompute recompute);

/// Reads a command line without the program's name. \throws UsageError.
[[nodiscard]] Options parse_options(std::span<char const* const> arguments);

/// The program and its options.
[[nodiscard]] command_line::Command<Options> const& command();

}  // namespace zero_plan
