// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/nccl_runs.cuh"

engine_test::Result fake_cuda::train_fp32_over_nccl(engine_test::Run const& run) {
  return fake_cuda::train_with<zero::Precision<zero::FP32>, fake_cuda::OverNccl>(run);
}
