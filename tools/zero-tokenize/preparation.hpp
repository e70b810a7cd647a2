// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <string>

namespace zero_tokenize {

/// Makes the folder of shards that \p options ask for, or goes on with one that was begun; says what it holds. Killed
/// at any moment and started again, it writes the same bytes. \throws UsageError, DataError, std::system_error.
[[nodiscard]] std::string prepare(Options const& options);

/// The same of nanoGPT's folder, whose tokens are copied.
[[nodiscard]] std::string take_nanogpt(Options const& options);

/// What one line says of a folder that is complete.
[[nodiscard]] std::string describe(std::string const& folder, zero_text::Manifest const& manifest);

}  // namespace zero_tokenize
