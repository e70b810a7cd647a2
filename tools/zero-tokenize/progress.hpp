// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "chunk.hpp"
#include "shard_sink.hpp"

#include <zero/utility/json.hpp>

#include <array>
#include <filesystem>
#include <optional>
#include <string>

namespace zero_tokenize {

inline constexpr std::string_view progress_file = "progress.json";

/// How far a preparation has come, from which it goes on after it was killed.
struct Progress {
  std::string request;          ///< JSON of what it was asked for
  std::uint64_t tokenizer = 0;  ///< the hash of its file
  Position position;
  std::array<SinkState, 2> sinks;  ///< for training, for validation

  /// Whether any text is behind it.
  [[nodiscard]] bool has_begun() const noexcept { return position.input != 0 || position.offset != 0; }
};

/// Writes it whole or not at all. \throws std::system_error.
void save_progress(std::filesystem::path const& folder, Progress const& progress);

/// What \p folder has; nothing where it has none. \throws DataError where it is damaged.
[[nodiscard]] std::optional<Progress> read_progress(std::filesystem::path const& folder);

/// The name of the first member that two requests differ in; empty where they are equal.
[[nodiscard]] std::string first_difference(std::string const& ours, std::string const& theirs);

}  // namespace zero_tokenize
