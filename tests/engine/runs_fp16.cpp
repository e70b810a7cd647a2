// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/trainer.hpp"

engine_test::Result engine_test::train_fp16(Run const& run) {
  return train_with<zero::Precision<zero::FP16, zero::DynamicScale>>(run);
}
