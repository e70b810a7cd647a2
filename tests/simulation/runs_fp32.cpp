// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "simulation/typed_runs.hpp"

engine_test::Result simulation_test::train_fp32(engine_test::Run const& run, zero::SimulationOptions options) {
  return train_with<zero::Precision<zero::FP32>>(run, options, nullptr);
}
