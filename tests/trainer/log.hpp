// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

/// The log of a run, as a script reads it.
namespace trainer_test {

/// Lines of steps, without the hash at the end.
inline std::vector<std::string> log_of(std::filesystem::path const& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("{\"step\"")) lines.push_back(line);
  }
  return lines;
}

/// What a line says of a member, as text.
inline std::string field(std::string_view line, std::string const& name) {
  auto const key = "\"" + name + "\": ";
  auto const at = line.find(key);
  REQUIRE(at != std::string_view::npos);
  auto const begin = at + key.size();
  return std::string(line.substr(begin, line.find_first_of(",}", begin) - begin));
}

}  // namespace trainer_test
