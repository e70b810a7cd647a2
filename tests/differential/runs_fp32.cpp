// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "differential/train_in.hpp"

std::vector<differential::Outcome> differential::train_fp32(Scenario const& scenario) {
  return train_in<zero::FP32>(scenario);
}
