// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/runs.cuh"

engine_test::Result stand_in::train_bf16(engine_test::Run const& run) {
  return stand_in::train_with<zero::Precision<zero::BF16>>(run);
}
