// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// A data set as a command line names it.
struct DataPath {
  std::string path;                ///< a file, a folder or a pattern
  std::optional<double> weight{};  ///< in a mixture

  friend bool operator==(DataPath const&, DataPath const&) = default;
};

/// Reads `PATH`, or `PATH=WEIGHT,PATH=WEIGHT...`, that \p option was given. A path may have commas and equals signs
/// of its own: one that is there as it stands is taken as a whole, and a backslash takes away a character's meaning.
/// Weights come back divided by their sum; a path alone has none.
/// \throws UsageError where a weight is missing, no number, negative or infinite, or all are 0; for an empty path, and
/// one that comes twice.
[[nodiscard]] std::vector<DataPath> parse_data_paths(std::string const& option, std::string_view text);

/// The same for paths without weights: `PATH` or `PATH,PATH...`.
[[nodiscard]] std::vector<std::string> parse_plain_paths(std::string const& option, std::string_view text);

/// Whether \p path has a character that `files_of_pattern` gives a meaning.
[[nodiscard]] bool is_pattern(std::string_view path);

/// The files whose paths \p pattern fits, as a shell has it (* ? [...]), sorted by their bytes.
[[nodiscard]] std::vector<std::string> files_of_pattern(std::string const& pattern);

}  // namespace gpt2
