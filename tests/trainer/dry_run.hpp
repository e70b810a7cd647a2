// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <utility>

/// What a dry run of either trainer is compared by.
namespace trainer_test {

/// The lines of \p output that begin with \p word, of which what only a run says for good is as a dry run says it.
inline std::string lines_with(std::string const& output, std::string const& word) {
  std::istringstream lines(output);
  std::string line, found;
  while (std::getline(lines, line)) {
    if (line.rfind(word, 0) != 0) continue;
    if (auto const at = line.find("would be resumed"); at != std::string::npos) line.replace(at, 16, "resumed");
    found += line + '\n';
  }
  return found;
}

/// Every file below \p folder, with its size and its time.
inline auto files_below(std::filesystem::path const& folder) {
  std::map<std::string, std::pair<std::size_t, std::filesystem::file_time_type>> found;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
    found[entry.path().string()] = {entry.is_regular_file() ? entry.file_size() : 0, entry.last_write_time()};
  }
  return found;
}

}  // namespace trainer_test
