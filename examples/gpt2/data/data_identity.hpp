// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// \p name with a question mark for each byte that is not UTF-8: a path may have such bytes, JSON may not.
[[nodiscard]] std::string as_text(std::string const& name);

/// What tells a data set from another one, without its name: a folder may move.
struct SetIdentity {
  std::string name;  ///< for messages
  double weight = 1.0;
  std::uint64_t bytes = 0, tokens = 0, hash = 0;
};

/// What a checkpoint says of the data of its run.
struct DataIdentity {
  static constexpr std::uint64_t current_order = 1;
  static constexpr char const* key = "data";  ///< what a checkpoint calls it

  std::uint64_t order = current_order;  ///< by which function of seed and micro-batch sequences are drawn
  std::vector<SetIdentity> train, validation;
  std::string characters{};     ///< that the tokens are, in the order of these; else empty
  std::uint64_t tokenizer = 0;  ///< hash of its file; 0: there is none, or tokens are characters

  /// JSON in one line.
  [[nodiscard]] std::string to_text() const;
  /// \throws DataError for what `to_text` did not write.
  [[nodiscard]] static DataIdentity parse(std::string_view text);

  /// Whether it is known what tokens stand for.
  [[nodiscard]] bool knows_tokens() const noexcept { return !characters.empty() || tokenizer != 0; }

  /// How \p now is other data than this, in a few words; nothing where they are the same.
  [[nodiscard]] std::optional<std::string> difference(DataIdentity const& now) const;
  /// Whether tokens mean other text in \p now, as far as both say what they mean.
  [[nodiscard]] bool speaks_otherwise(DataIdentity const& now) const noexcept;
};

}  // namespace gpt2
