// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/read.hpp>

#include <optional>
#include <string>
#include <utility>

namespace config_test {

/// A configuration of one rank with \p members, and a micro-batch.
inline std::string with(std::string const& members) {
  return R"({"train_micro_batch_size_per_gpu": 1)" + (members.empty() ? "" : ",\n" + members) + "}";
}

inline zero::config::Settings read_text(std::string const& text, zero::config::ReadOptions const& options = {}) {
  return zero::config::parse(text, options, "ds.json");
}

/// What reading \p text throws; empty: nothing.
inline std::optional<zero::config::ConfigError> error_of(std::string const& text,
                                                         zero::config::ReadOptions const& options = {}) {
  try {
    static_cast<void>(read_text(text, options));
  } catch (zero::config::ConfigError const& error) {
    return error;
  }
  return std::nullopt;
}

/// The sentence of the same; empty: none.
inline std::string message_of(std::string const& text, zero::config::ReadOptions const& options = {}) {
  auto const error = error_of(text, options);
  return error ? error->what() : std::string();
}

}  // namespace config_test
