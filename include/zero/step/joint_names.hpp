// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace zero::detail {

/// The parameters of all engines of a joint step, in one numbering: those of one engine after those of the one before.
struct JointNames {
  struct Engine {
    std::string name;
    std::uint32_t first_parameter = 0;    ///< its number
    std::vector<std::string> parameters;  ///< by registration
  };

  /// Whose parameter number \p parameter is; there are as many.
  [[nodiscard]] Engine const& engine_of(std::uint32_t parameter) const {
    auto const after = std::upper_bound(engines.begin(), engines.end(), parameter,
                                        [](std::uint32_t p, Engine const& e) { return p < e.first_parameter; });
    return *(after - 1);
  }

  std::vector<Engine> engines;  ///< by the numbers of their parameters
};

}  // namespace zero::detail
