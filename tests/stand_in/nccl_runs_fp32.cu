// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/nccl_runs.cuh"

engine_test::Result stand_in::train_fp32_over_nccl(engine_test::Run const& run) {
  return stand_in::train_with<zero::Precision<zero::FP32>, stand_in::OverNccl>(run);
}
