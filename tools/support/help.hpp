// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/command_line.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace command_line {

inline constexpr std::size_t help_width = 80;

/// \p text in lines of at most `help_width` columns, each of which begins at column \p column, the first too, which
/// goes on where \p head ends.
[[nodiscard]] inline std::string wrapped(std::string head, std::size_t column, std::string_view text) {
  std::string lines = std::move(head);
  std::size_t at = lines.size();
  auto const indent = [&](std::size_t from) {
    lines.append(column - std::min(column, from), ' ');
    at = std::max(column, from);
  };
  if (at + 1 > column && at > 0) {
    lines += '\n';
    at = 0;
  }
  indent(at);
  bool first = true;
  while (!text.empty()) {
    auto const end = std::min(text.find(' '), text.size());
    auto const word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!first && at + 1 + word.size() > help_width) {
      lines += '\n';
      indent(0);
      first = true;
    }
    if (!first) lines += ' ', ++at;
    lines += word;
    at += word.size();
    first = false;
  }
  return lines + '\n';
}

/// The lines of one option: what it does begins at column \p column, and ends with its default.
template <class Options>
[[nodiscard]] std::string describe(Option<Options> const& option, std::size_t column) {
  std::string head = "  " + std::string(option.name);
  if (!option.value.empty()) head += " " + std::string(option.value);
  std::string usual(option.usual);
  if (usual.empty() && option.setting.get) usual = option.setting.get(Options{});
  if (usual.empty()) usual = "none";
  return wrapped(std::move(head), column, std::string(option.help) + " (default: " + usual + ")");
}

/// The text of --help, at most 80 columns wide.
template <class Options>
[[nodiscard]] std::string help_of(Command<Options> const& command) {
  constexpr std::size_t column = 26;
  std::string text = "usage: " + std::string(command.name) + " " + std::string(command.synopsis) + "\n\n";
  text += wrapped("", 0, command.what);
  for (auto const& group : command.groups) {
    text += "\n" + std::string(group.title) + ":\n";
    for (auto const& option : group.options) text += describe(option, column);
  }
  text += "\nthis program:\n";
  text += wrapped("  -h, --help", column, "say this, and end");
  text += wrapped("  --version", column, "say what it was built with, and end");
  if (!command.notes.empty()) text += "\n" + std::string(command.notes);
  text += "\nexit codes:\n";
  for (auto const code : command.exit_codes) {
    text += wrapped("  " + std::to_string(static_cast<int>(code)), 4, meaning(code));
  }
  return text;
}

}  // namespace command_line
