// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "chunk.hpp"
#include "options.hpp"
#include "text/tokenizer.hpp"

#include <cstddef>
#include <vector>

namespace zero_tokenize {

/// Reads the tokenizer, trains one, or finds the characters, as \p options ask; by \p threads threads, and the same
/// whatever their number is. \throws DataError.
[[nodiscard]] zero_text::TokenizerText make_vocabulary(Options const& options, std::vector<Input> const& inputs,
                                                       std::size_t threads);

}  // namespace zero_tokenize
