// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "data_paths.hpp"

#include "support/usage_error.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <system_error>
#include <utility>

#include <glob.h>

namespace gpt2 {
namespace {

using command_line::UsageError;

bool is_there(std::string const& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

/// Where the next or, with \p last, the last \p separator of \p text is that no backslash stands before.
std::size_t find_separator(std::string_view text, char separator, bool last) {
  std::size_t found = std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == separator) {
      found = i;
      if (!last) break;
    }
  }
  return found;
}

/// Of a comma, an equals sign and a backslash, which a path has. A pattern's own backslashes stay.
std::string without_backslashes(std::string_view text) {
  std::string path;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool const escapes =
        text[i] == '\\' && i + 1 < text.size() && std::string_view(",=\\").find(text[i + 1]) != std::string_view::npos;
    path += text[escapes ? ++i : i];
  }
  return path;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  for (;;) {
    auto const comma = find_separator(text, ',', false);
    parts.push_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::optional<double> number_of(std::string_view text) {
  double value = 0.0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool const is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number ? std::optional(value) : std::nullopt;
}

DataPath parse_part(std::string const& option, std::string_view part) {
  std::string const as_it_stands(part);
  auto const equals = find_separator(part, '=', true);
  if (equals == std::string_view::npos || is_there(as_it_stands)) {
    return {is_there(as_it_stands) ? as_it_stands : without_backslashes(part), {}};
  }
  auto const weight = number_of(part.substr(equals + 1));
  std::string path(part.substr(0, equals));
  if (!is_there(path)) path = without_backslashes(path);
  if (weight && std::isfinite(*weight) && *weight >= 0.0) return {std::move(path), weight};
  throw UsageError(option + " " + as_it_stands + ": what follows the last = is no weight: expected a number that is " +
                   "not negative, such as " + path + "=0.5; write \\= for an = of the path");
}

void check_weights(std::string const& option, std::vector<DataPath>& paths) {
  double sum = 0.0;
  for (auto const& data : paths) {
    if (!data.weight) {
      throw UsageError(option + ": " + data.path + " has no weight: give every data set of a mixture one, such as " +
                       data.path + "=0.5; write \\, for a comma of the path");
    }
    sum += *data.weight;
  }
  if (sum <= 0.0 || !std::isfinite(sum)) {
    throw UsageError(option + ": the weights sum to " +
                     (sum > 0.0 ? "infinity: give smaller ones" : "0: give a data set a weight above 0"));
  }
  for (auto& data : paths) *data.weight /= sum;
}

template <class Paths, class Path>
void refuse_twice(std::string const& option, Paths const& paths, Path const& path_of) {
  for (std::size_t i = 0; i < paths.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (path_of(paths[i]) != path_of(paths[j])) continue;
      throw UsageError(option + ": " + path_of(paths[i]) + " is given twice: leave one of them out");
    }
  }
}

void refuse_empty(std::string const& option, std::string_view text, std::string const& path) {
  if (!path.empty()) return;
  throw UsageError(option + " " + std::string(text) +
                   ": a path is empty: give each data set a file, folder or pattern");
}

}  // namespace

std::vector<DataPath> parse_data_paths(std::string const& option, std::string_view text) {
  if (is_there(std::string(text))) return {{std::string(text), {}}};
  std::vector<DataPath> paths;
  for (auto const part : split(text)) {
    paths.push_back(parse_part(option, part));
    refuse_empty(option, text, paths.back().path);
  }
  refuse_twice(
      option, paths, [](DataPath const& data) -> auto const& { return data.path; });
  if (paths.size() > 1 || paths.front().weight) check_weights(option, paths);
  if (paths.size() == 1) paths.front().weight.reset();
  return paths;
}

std::vector<std::string> parse_plain_paths(std::string const& option, std::string_view text) {
  if (is_there(std::string(text))) return {std::string(text)};
  std::vector<std::string> paths;
  for (auto const part : split(text)) {
    std::string const as_it_stands(part);
    paths.push_back(is_there(as_it_stands) ? as_it_stands : without_backslashes(part));
    refuse_empty(option, text, paths.back());
  }
  return paths;
}

bool is_pattern(std::string_view path) { return path.find_first_of("*?[") != std::string_view::npos; }

std::vector<std::string> files_of_pattern(std::string const& pattern) {
  ::glob_t found{};
  std::vector<std::string> files;
  if (::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace gpt2
