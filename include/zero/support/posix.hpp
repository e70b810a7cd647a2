// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/utility/descriptor.hpp>

#include <limits>
#include <string>
#include <system_error>

namespace zero::detail {

/// Calls \p f again as long as `interrupted(result)` says that a signal interrupted it, \p attempts times at most.
template <class Function, class Interrupted>
auto retry(Function&& f, Interrupted&& interrupted, int attempts = (std::numeric_limits<int>::max)()) {
  auto result = f();
  for (int i = 1; i < attempts && interrupted(result); ++i) result = f();
  return result;
}

[[nodiscard]] inline std::string system_message(int code) { return std::generic_category().message(code); }

}  // namespace zero::detail
