// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/on_device.cuh"

engine_test::Result cuda_test::train_fp16(engine_test::Run const& run) {
  return cuda_test::train_with<zero::Precision<zero::FP16, zero::DynamicScale>>(run);
}
