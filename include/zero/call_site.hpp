// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

namespace zero {

/// A place in the source that calls: a defaulted last argument `CallSite site = CallSite::current()` takes the
/// caller's. Stands in for std::source_location, which Clang 14 does not have.
struct CallSite {
  char const* file = "";  ///< path of the source file
  int line = 0;           ///< in it

  /// Where the default argument stands: the caller's place.
  [[nodiscard]] static constexpr CallSite current(char const* file = __builtin_FILE(),
                                                  int line = __builtin_LINE()) noexcept {
    return {file, line};
  }
};

}  // namespace zero
