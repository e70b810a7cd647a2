// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "simulation/real_step.hpp"

std::vector<plan_test::Real> plan_test::real_step_fp32(zero_plan::Settings const& settings, bool adopted) {
  return real_step_with<zero_plan::FP32Prec>(settings, adopted);
}
