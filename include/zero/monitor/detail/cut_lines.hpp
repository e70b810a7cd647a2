// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace zero::detail {

/// The whole number that \p line has after \p prefix; nothing where it has none there.
[[nodiscard]] inline std::optional<std::uint64_t> step_after(std::string_view prefix, std::string const& line) {
  if (!line.starts_with(prefix)) return std::nullopt;
  char const* const text = line.c_str() + prefix.size();
  char* end = nullptr;
  auto const step = std::strtoull(text, &end, 10);
  return *text < '0' || *text > '9' || end == text ? std::nullopt : std::optional<std::uint64_t>(step);
}

/// Shortens \p path to \p bytes, where it is longer. Returns what went wrong.
[[nodiscard]] inline std::string shorten(std::filesystem::path const& path, std::uint64_t bytes) {
  std::error_code error;
  auto const size = std::filesystem::file_size(path, error);
  if (!error && size > bytes) std::filesystem::resize_file(path, bytes, error);
  return error ? "cannot shorten " + path.string() + ": " + error.message() : std::string();
}

/// Cuts from a file of lines, each of which has its step after \p prefix, all from the first of a later step than
/// \p step on, and a last one without an end. The file only becomes shorter, so that it is whole whenever the process
/// dies. Returns what went wrong.
[[nodiscard]] inline std::string cut_lines(std::filesystem::path const& path, std::string_view prefix,
                                           std::uint64_t step) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return "cannot read " + path.string();
  std::uint64_t bytes = 0;
  for (std::string line; std::getline(file, line) && !file.eof(); bytes += line.size() + 1) {
    auto const of_line = step_after(prefix, line);
    if (of_line && *of_line > step) break;
  }
  if (file.bad()) return "cannot read " + path.string();
  return shorten(path, bytes);
}

/// The regular files in \p folder of which `is_curve(path)` holds, in no order; none where it cannot be read.
template <class Predicate>
[[nodiscard]] std::vector<std::filesystem::path> files_in(std::filesystem::path const& folder, Predicate&& is_curve) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code unknown;
    if (at->is_regular_file(unknown) && is_curve(at->path())) found.push_back(at->path());
  }
  return found;
}

/// Removes \p path. Returns what went wrong.
[[nodiscard]] inline std::string remove_curve(std::filesystem::path const& path) {
  std::error_code error;
  std::filesystem::remove(path, error);
  return error ? "cannot remove " + path.string() + ": " + error.message() : std::string();
}

}  // namespace zero::detail
