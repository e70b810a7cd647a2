// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/data_error.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

namespace zero_text {

/// The whole of a regular file. \throws command_line::DataError, which says to give \p wanted where it is missing.
[[nodiscard]] inline std::string read_text_file(std::filesystem::path const& file, std::string_view wanted) {
  namespace fs = std::filesystem;
  auto const fail = [&](std::string const& problem) { throw command_line::DataError(file.string() + ": " + problem); };
  std::error_code error;
  auto const status = fs::status(file, error);
  if (!fs::exists(status)) fail("no such file" + (wanted.empty() ? "" : "; give " + std::string(wanted)));
  if (!fs::is_regular_file(status)) fail("is not a regular file");
  std::string content(fs::file_size(file, error), '\0');
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream.read(content.data(), static_cast<std::streamsize>(content.size()))) {
    fail("cannot be read; check its permissions");
  }
  return content;
}

}  // namespace zero_text
