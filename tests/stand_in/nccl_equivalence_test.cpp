// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Whole trainings on CUDA engines over NCCL, whose sums are in rank order.

#include "stand_in/equivalence.hpp"
#include "stand_in/nccl_runs.hpp"

#include <doctest/doctest.h>

using engine_test::Run;
using engine_test::Types;
using stand_in::check_all;

TEST_CASE("nccl equivalence: one, two and three ranks give the host's bits in every stage, type and order") {
  for (int world : {1, 2, 3}) {
    check_all(stand_in::train_fp32_over_nccl, Types::fp32, world, world, world);
    check_all(stand_in::train_fp16_over_nccl, Types::fp16, world, world, world);
    check_all(stand_in::train_bf16_over_nccl, Types::bf16, world, world, world);
  }
}

TEST_CASE("nccl equivalence: every order of several seeds gives the same bits") {
  auto const expected = engine_test::train({.types = Types::fp16, .self = true, .accumulation = 2});
  for (auto order : stand_in::every_order) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      for (auto stage : {zero::Stage::gradients, zero::Stage::parameters}) {
        Run const run{.types = Types::fp16,
                      .stage = stage,
                      .offload = seed % 2 == 1,
                      .world = 2,
                      .evaluates = true,
                      .streams = 3};
        stand_in::check(stand_in::train_fp16_over_nccl, run, {.seed = seed, .order = order, .devices = 2}, expected);
      }
    }
  }
}
