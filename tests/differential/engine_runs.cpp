// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "differential/engine_runs.hpp"

#include <stdexcept>

namespace differential {

std::vector<Type> built_types() {
#ifdef ZERO_TEST_ONE_TYPE
  return {Type::fp16};
#else
  return {Type::fp32, Type::fp16, Type::bf16};
#endif
}

std::vector<Outcome> train_by_engines(Scenario const& scenario) {
  switch (scenario.compute) {
    case Type::fp16:
      return train_fp16(scenario);
#ifndef ZERO_TEST_ONE_TYPE
    case Type::fp32:
      return train_fp32(scenario);
    case Type::bf16:
      return train_bf16(scenario);
#endif
    default:
      throw std::invalid_argument("this build has engines for fp16 only: configure without ZERO_TEST_ONE_TYPE");
  }
}

}  // namespace differential
