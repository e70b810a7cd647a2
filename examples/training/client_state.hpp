// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>

namespace training {

/// The JSON of a user's own file, in one line. \throws DataError where there is none, or too much of it for a
/// checkpoint's manifest.
[[nodiscard]] std::string read_client_state(std::string const& path);

}  // namespace training
