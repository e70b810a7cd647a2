// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/mutants.hpp"
#include "differential/outcome.hpp"
#include "differential/scenario.hpp"

namespace differential {

/// Trains \p scenario in a plain loop over whole vectors: no ranks, no buckets, no library. With \p mutant something in
/// it is wrong.
[[nodiscard]] Outcome train_plainly(Scenario const& scenario, Mutant mutant = Mutant::none);

}  // namespace differential
