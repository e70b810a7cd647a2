// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A registered model, to be planned.
#include <zero/simulation/plan.hpp>

void plan(zero::ParameterList const& parameters) {
  // block
}
