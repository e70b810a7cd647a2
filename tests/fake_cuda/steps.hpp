// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/fixtures.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace fake_cuda {

inline constexpr std::array sharded = {zero::Stage::gradients, zero::Stage::parameters};

/// From step \p first on none has waited on the host or allocated; each has launched something, or \p launches things.
inline void check_goes_on(Seen const& seen, std::size_t first, std::optional<std::uint64_t> launches = {}) {
  for (std::size_t step = first; step < seen.steps.size(); ++step) {
    auto const &before = seen.steps[step - 1], &after = seen.steps[step];
    CHECK(after.synchronizations == before.synchronizations);
    CHECK(after.blocking_copies == before.blocking_copies);
    CHECK(after.allocations == before.allocations);
    CHECK(after.launches > before.launches);
    if (launches) CHECK(after.launches == before.launches + *launches);
  }
}

}  // namespace fake_cuda
