// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "prompts.hpp"

#include "support/counted.hpp"
#include "support/data_error.hpp"
#include "support/settings.hpp"
#include "support/usage_error.hpp"
#include "text_file.hpp"

#include <cstddef>
#include <string_view>
#include <utility>

namespace gpt2 {
namespace {

using command_line::DataError;
using command_line::UsageError;

/// The tokens of \p value, a list of numbers with commas between them.
std::vector<Token> parse_ids(std::string_view value, ModelShape const& shape) {
  std::vector<Token> tokens;
  for (std::string_view rest = value;;) {
    auto const comma = rest.find(',');
    tokens.push_back(static_cast<Token>(
        command_line::whole("--prompt-ids", rest.substr(0, comma), 0, std::uint64_t{shape.vocabulary} - 1)));
    if (comma == std::string_view::npos) return tokens;
    rest.remove_prefix(comma + 1);
  }
}

/// \throws Error, for \p where
template <class Error>
Prompt encoded(std::string const& where, std::string_view text, TextSource const& source) {
  if (text.empty()) throw Error(where + ": is empty: give one character at least");
  Prompt prompt{.text = std::string(text), .tokens = {}};
  try {
    prompt.tokens = require_vocabulary(source).encode(text);
  } catch (zero_text::DataError const& error) {
    throw Error(where + ": " + error.what());
  }
  return prompt;
}

template <class Error>
void expect_fits(std::string const& where, Prompt const& prompt, ModelShape const& shape) {
  if (prompt.tokens.size() <= shape.context) return;
  throw Error(where + ": has " + command_line::counted(prompt.tokens.size(), "token") +
              ", but the model's context is " + std::to_string(shape.context) + ": give a shorter prompt");
}

std::vector<Prompt> prompts_of_file(std::string const& path, TextSource const& source) {
  auto const text = read_text_file(path);
  std::vector<Prompt> prompts;
  for (std::string_view rest = text; !rest.empty();) {
    auto const end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    auto const where = path + ": line " + std::to_string(prompts.size() + 1);
    prompts.push_back(encoded<DataError>(where, line, source));
    expect_fits<DataError>(where, prompts.back(), source.shape);
  }
  return prompts;
}

}  // namespace

zero_text::Tokenizer const& require_vocabulary(TextSource const& source) {
  if (source.vocabulary) return *source.vocabulary;
  throw UsageError("--model " + source.name +
                   ": nothing there says what its tokens stand for: give --tokenizer, --data with the text that it was "
                   "trained on, or --prompt-ids");
}

std::string to_text(TextSource const& source, std::vector<Token> const& tokens) {
  std::string text;
  for (auto const token : tokens) {
    if (source.vocabulary) {
      text += text_of(*source.vocabulary, token);
    } else {
      text.append(text.empty() ? "" : " ").append(std::to_string(token));
    }
  }
  return text;
}

std::vector<Prompt> read_prompts(GenerateOptions const& options, TextSource const& source) {
  if (options.prompts_file) return prompts_of_file(*options.prompts_file, source);
  std::vector<Prompt> prompts;
  for (auto const& given : options.prompts) {
    std::string const where = given.is_tokens ? "--prompt-ids" : "--prompt";
    if (given.is_tokens) {
      auto tokens = parse_ids(given.text, source.shape);
      auto text = to_text(source, tokens);
      prompts.push_back({std::move(text), std::move(tokens)});
    } else {
      prompts.push_back(encoded<UsageError>(where, given.text, source));
    }
    expect_fits<UsageError>(where, prompts.back(), source.shape);
  }
  return prompts;
}

}  // namespace gpt2
