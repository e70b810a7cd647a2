// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/error.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace zero::config {

/// A configuration that cannot be read, or that asks for what cannot be had. `what()` is one line: file, line, column,
/// key, what is wrong and what to write instead.
class ConfigError : public ConfigurationError {
 public:
  /// Where it was seen.
  struct Where {
    std::string file;        ///< as it was given; empty: a text that a program handed over
    std::size_t line = 0;    ///< from 1; 0: no single place
    std::size_t column = 0;  ///< from 1, in bytes
    std::string key;         ///< such as `zero_optimization.stage`; empty: none
  };

  /// \p problem says what is wrong, \p cure what to do; the latter may be empty.
  ConfigError(Where where, std::string problem, std::string cure)
      : ConfigurationError(message_of(where, problem, cure)),
        where_(std::move(where)),
        problem_(std::move(problem)),
        cure_(std::move(cure)) {}

  /// Where it was seen.
  [[nodiscard]] Where const& where() const noexcept { return where_; }
  /// What is wrong.
  [[nodiscard]] std::string const& problem() const noexcept { return problem_; }
  /// What to write instead; may be empty.
  [[nodiscard]] std::string const& cure() const noexcept { return cure_; }

 private:
  static std::string message_of(Where const& where, std::string const& problem, std::string const& cure) {
    std::string text = where.file;
    if (where.line > 0) {
      text += text.empty() ? "line " : ":";
      text += std::to_string(where.line) + ":" + std::to_string(where.column);
    }
    if (!text.empty()) text += ": ";
    if (!where.key.empty()) text += shown(where.key) + ": ";
    text += problem;
    if (!cure.empty()) text += ": " + cure;
    return text;
  }

  /// A key on one line, cut where it is long.
  static std::string shown(std::string const& key) {
    constexpr std::size_t most = 120;
    std::string text = key.size() > most ? key.substr(0, most) + "..." : key;
    for (char& c : text) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    return text;
  }

  Where where_;
  std::string problem_, cure_;
};

}  // namespace zero::config
