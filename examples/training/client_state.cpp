// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "client_state.hpp"

#include "progress.hpp"
#include "support/data_error.hpp"
#include "support/json_file.hpp"

#include <zero/error.hpp>

#include <cstddef>
#include <fstream>
#include <string_view>

namespace training {
namespace {

/// The same JSON without the blanks between its parts. Numbers stay as they are written.
std::string without_blanks(std::string_view json) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    char const c = json[i];
    bool const is_blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
    if (quoted || !is_blank) text += c;
    if (quoted && c == '\\') {
      text += json[++i];
    } else if (c == '"') {
      quoted = !quoted;
    }
  }
  return text;
}

}  // namespace

std::string read_client_state(std::string const& path) {
  constexpr std::size_t most = 100'000;
  auto const refuse = [&](std::string const& why) { throw command_line::DataError(path + ": " + why); };
  std::ifstream file(path, std::ios::binary);
  std::string text(most + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) refuse("cannot be read; give a file with JSON");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > most) {
    refuse("is longer than " + with_separators(most) + " bytes, which is too much for each checkpoint to hold");
  }
  try {
    (void)command_line::parse_json(text, 64);
  } catch (zero::Error const& error) {
    refuse(std::string("is no JSON: ") + error.what());
  }
  return without_blanks(text);
}

}  // namespace training
