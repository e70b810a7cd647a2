// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/runs.hpp"

engine_test::Result fake_cuda::train(engine_test::Run const& run) {
  switch (run.types) {
    case engine_test::Types::fp32:
      return fake_cuda::train_fp32(run);
    case engine_test::Types::fp16:
      return fake_cuda::train_fp16(run);
    default:
      return fake_cuda::train_bf16(run);
  }
}
