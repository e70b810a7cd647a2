// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"

#include <zero/simulation/options.hpp>

namespace simulation_test {

/// Trains in FP16 with DynamicScale on simulated ranks, whose number, order and seed \p options have; the result of the
/// first rank. \p simulated, where given, is told what the simulation saw.
[[nodiscard]] engine_test::Result train(engine_test::Run const& run, zero::SimulationOptions options,
                                        zero::SimulationResult* simulated = nullptr);

/// The same in FP32 and BF16.
[[nodiscard]] engine_test::Result train_fp32(engine_test::Run const& run, zero::SimulationOptions options);
[[nodiscard]] engine_test::Result train_bf16(engine_test::Run const& run, zero::SimulationOptions options);

}  // namespace simulation_test
