// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/runs.hpp"

engine_test::Result engine_test::train(Run const& run) {
#ifdef ZERO_TEST_ONE_TYPE
  return train_fp16(run);
#else
  switch (run.types) {
    case Types::fp32:
      return train_fp32(run);
    case Types::fp16:
      return train_fp16(run);
    case Types::bf16:
      return train_bf16(run);
    default:
      return train_bf16_sums(run);
  }
#endif
}
