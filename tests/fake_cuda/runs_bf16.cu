// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/runs.cuh"

engine_test::Result fake_cuda::train_bf16(engine_test::Run const& run) {
  return fake_cuda::train_with<zero::Precision<zero::BF16>>(run);
}
