// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "generate_options.hpp"
#include "text_source.hpp"

#include <string>
#include <vector>

namespace gpt2 {

/// A prompt, and its tokens.
struct Prompt {
  std::string text;  ///< of tokens that nothing is known of, their numbers
  std::vector<Token> tokens;
};

/// All prompts that the options say, each of 1 to the context's tokens.
/// \throws UsageError for one of the command line, DataError for one of a file.
[[nodiscard]] std::vector<Prompt> read_prompts(GenerateOptions const& options, TextSource const& source);

/// The vocabulary of \p source. \throws UsageError where it has none.
[[nodiscard]] zero_text::Tokenizer const& require_vocabulary(TextSource const& source);

/// What \p tokens stand for, or their numbers, with spaces between them.
[[nodiscard]] std::string to_text(TextSource const& source, std::vector<Token> const& tokens);

}  // namespace gpt2
