// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "prompts.hpp"
#include "text_source.hpp"
#include "text_stream.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace gpt2 {

/// Writes texts to standard output in the order of their prompts: the first that has not ended as it comes, the others
/// when it is their turn.
class TextPrinter {
 public:
  /// \p source and \p prompts are borrowed.
  TextPrinter(TextSource const& source, std::vector<Prompt> const& prompts, std::vector<std::string> const& stops,
              bool json);

  /// Takes the next token of text \p text. Whether the text goes on: no stop text has come.
  bool push(std::size_t text, Token token);
  /// Text \p text has ended, by a token that is not part of it where it \p was_ended. \throws std::runtime_error where
  /// standard output cannot be written.
  void end(std::size_t text, bool was_ended);

 private:
  struct Text {
    TextStream stream;
    std::string shown{};  // behind the prompt
    std::vector<Token> tokens{};
    std::size_t printed = 0;  // bytes of shown
    bool has_begun = false, has_ended = false;
    char const* reason = "";
  };

  void show();
  [[nodiscard]] std::string json_of(std::size_t text) const;

  TextSource const& source_;
  std::vector<Prompt> const& prompts_;
  bool json_;
  std::vector<Text> texts_;
  std::size_t current_ = 0;
};

}  // namespace gpt2
