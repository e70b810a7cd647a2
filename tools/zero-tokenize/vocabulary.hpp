// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "chunk.hpp"
#include "options.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zero_tokenize {

/// A tokenizer's file, as a folder of shards keeps it.
struct VocabularyFile {
  std::string name;  ///< tokenizer.json or characters.json
  std::string text;
};

/// Reads the tokenizer, trains one, or finds the characters, as \p options ask; by \p threads threads, and the same
/// whatever their number is. \throws DataError.
[[nodiscard]] VocabularyFile make_vocabulary(Options const& options, std::vector<Input> const& inputs,
                                             std::size_t threads);

}  // namespace zero_tokenize
