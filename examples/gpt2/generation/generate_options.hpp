// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../sampling.hpp"
#include "support/command_line.hpp"
#include "weight_type.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace gpt2 {

/// What `generate_gpt2` is asked to do.
struct GenerateOptions {
  /// A prompt of the command line: a text, or the tokens themselves.
  struct Prompt {
    bool is_tokens = false;
    std::string text;
  };

  std::optional<std::string> model;
  std::optional<std::size_t> heads;  ///< of a model that does not say it
  std::optional<std::string> data;   ///< a text whose characters are the tokens
  std::optional<std::string> tokenizer;
  bool allows_other_tokenizer = false;  ///< than the model says that its tokens are of
  std::vector<Prompt> prompts{};        ///< in their order
  std::optional<std::string> prompts_file;
  std::size_t tokens = 256;
  SamplingConfig sampling{};
  std::uint64_t seed = 1337;
  std::vector<std::string> stops{};
  bool ignores_end = false;
  bool json = false;
  WeightType precision = WeightType::fp32;
  int threads = 0;        ///< 0: as many as there are cores
  std::size_t batch = 8;  ///< texts at a time
  bool stats = true;
  std::optional<std::string> perplexity;  ///< a file, in place of prompts
  command_line::Asked asked{};
};

[[nodiscard]] command_line::Command<GenerateOptions> const& generate_command();

/// \throws UsageError
[[nodiscard]] GenerateOptions parse_generate_options(command_line::Words words);

}  // namespace gpt2
