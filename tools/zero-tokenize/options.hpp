// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/command_line.hpp"
#include "support/data_error.hpp"
#include "text/manifest.hpp"
#include "text/word_splitter.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace zero_tokenize {

using command_line::DataError;
using command_line::UsageError;

/// What of an input is a document.
enum class Documents : std::uint8_t { file, paragraph, line };

/// Where the token that parts documents stands.
enum class Separator : std::uint8_t { before, after, none };

/// What `zero-tokenize` is asked for.
struct Options {
  std::vector<std::string> inputs, validation_inputs;
  std::optional<std::string> output, nanogpt, tokenizer, json_key, separator_token;
  std::optional<std::size_t> train_bpe{};
  bool characters = false;
  zero_text::Pattern pattern = zero_text::Pattern::gpt2;
  bool tokenizer_only = false;
  Documents documents = Documents::file;
  bool replace = false;
  bool recognize_special = false;
  std::optional<Separator> separator{};                ///< nothing: by the vocabulary
  std::optional<zero_text::ShardEncoding> encoding{};  ///< nothing: by the vocabulary
  std::uint64_t shard_tokens = 100'000'000;
  double validation = 0;
  std::size_t threads = 0;  ///< 0: the cores that the process may run on
  std::uint64_t save_every = std::uint64_t{64} << 20U;
  bool overwrite = false;
  command_line::Asked asked{};
};

/// Reads a command line without the program's name. \throws UsageError.
[[nodiscard]] Options parse_options(std::span<char const* const> arguments);

/// The program and its options.
[[nodiscard]] command_line::Command<Options> const& command();

/// Names as on the command line.
[[nodiscard]] std::string name_of(Documents documents);
[[nodiscard]] std::string name_of(Separator separator);
[[nodiscard]] std::string name_of(zero_text::Pattern pattern);

}  // namespace zero_tokenize
