// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/runs.hpp"

engine_test::Result stand_in::train(engine_test::Run const& run) {
  switch (run.types) {
    case engine_test::Types::fp32:
      return stand_in::train_fp32(run);
    case engine_test::Types::fp16:
      return stand_in::train_fp16(run);
    default:
      return stand_in::train_bf16(run);
  }
}
