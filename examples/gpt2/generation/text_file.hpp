// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/data_error.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace gpt2 {

/// All of a file, which may be a pipe. \throws DataError where there is none, or it is a folder, unreadable or empty.
[[nodiscard]] inline std::string read_text_file(std::string const& path) {
  using command_line::DataError;
  std::error_code error;
  auto const status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw DataError(path + ": no such file");
  if (std::filesystem::is_directory(status)) throw DataError(path + ": is a folder; give the path of a file in it");
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) throw DataError(path + ": cannot be read; check its permissions");
  if (text.empty()) throw DataError(path + ": is empty");
  return text;
}

}  // namespace gpt2
