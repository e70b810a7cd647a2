// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/outcome.hpp"
#include "differential/scenario.hpp"

#include <vector>

namespace differential {

/// Trains \p scenario by engines, in as many threads as it has ranks; what each rank has seen. \throws what an engine
/// throws, and std::logic_error where one accepts what it must refuse.
[[nodiscard]] std::vector<Outcome> train_by_engines(Scenario const& scenario);

// One translation unit per compute type, so that they compile side by side.
[[nodiscard]] std::vector<Outcome> train_fp32(Scenario const& scenario);
[[nodiscard]] std::vector<Outcome> train_fp16(Scenario const& scenario);
[[nodiscard]] std::vector<Outcome> train_bf16(Scenario const& scenario);

/// The compute types that are built in.
[[nodiscard]] std::vector<Type> built_types();

}  // namespace differential
