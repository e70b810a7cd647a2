// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "activations.hpp"
#include "sampling.hpp"
#include "support/command_line.hpp"
#include "training/options.hpp"
#include "training/run_options.hpp"

#include <zero/precision.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace gpt2 {

using namespace training;  // a trainer, which this is

/// What `train_gpt2` is asked to do. The defaults are nanoGPT's setting for a CPU.
struct Options : training::CommonOptions {
  std::optional<std::string> continue_with;  ///< other data for a run that is resumed; `data` is the same then
  std::string characters{};          ///< of the text that the model to start from was trained on, by their tokens
  std::size_t vocabulary = 0;        ///< 0: as the data has it
  std::optional<std::string> model;  ///< a name, which says the next four
  std::size_t layers = 4, heads = 4, width = 128, context = 64;
  double dropout = 0.0;                           ///< share of elements, in training only
  std::size_t eval_batches = 20;                  ///< over all ranks
  std::optional<std::size_t> eval_train_batches;  ///< of training data; default: eval_batches
  bool eval_at_start = false;
  std::size_t sample = 256;  ///< tokens of text at the end
  SamplingConfig sampling{};
  std::optional<std::string> save_hf;                        ///< a folder
  std::optional<std::string> save_hf_best;                   ///< another one
  std::uint64_t max_shard_bytes = 0;                         ///< of a file of these models; 0: one file
  zero::ElementType hf_precision = zero::ElementType::fp32;  ///< of the parameters of these models
  std::optional<double> peak_flops;                          ///< per second, of what a rank computes on
};

/// Reads a command line without the program's name. \throws UsageError.
[[nodiscard]] Options parse_options(std::span<char const* const> arguments);

/// The program and its options.
[[nodiscard]] command_line::Command<Options> const& command();

/// What options are worth together, once a configuration has said its part. \throws UsageError.
void check_options(Options& options);

/// How the model of a run keeps its activations.
[[nodiscard]] ActivationSettings activation_settings(Options const& options);

/// \throws UsageError where the heads do not divide the width.
void check_heads(Options const& options);

/// \throws UsageError where steps cannot be recorded, as --cuda-graph asks. Ranks are \p processes, or threads of one.
void check_cuda_graph(Options const& options, int processes);

/// Micro-batches of training data that an evaluation takes, over all ranks.
[[nodiscard]] std::size_t train_batches(Options const& options);

/// What of \p options decides how a run goes, with what its defaults stand for.
[[nodiscard]] NamedOptions run_options(Options const& options);

}  // namespace gpt2
