// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/decide.hpp>
#include <zero/kernels/launch.cuh>

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// One thread: some hundred operations, most of them one after another.
template <class Rule, class Scaler>
ZERO_KERNEL(1)
decide(DecisionArguments<Rule, Scaler> const a) {
  zero::decide(a);
}

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
