// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Whole trainings on CUDA engines over NCCL, whose sums are in rank order.

#include "fake_cuda/equivalence.hpp"
#include "fake_cuda/nccl_runs.hpp"

#include <doctest/doctest.h>

namespace fake_cuda_nccl_equivalence_test {

using engine_test::Run;
using engine_test::Types;
using fake_cuda::check_all;

TEST_CASE("nccl equivalence: one, two and three ranks give the host's bits in every stage, type and order") {
  for (int world : {1, 2, 3}) {
    check_all(fake_cuda::train_fp32_over_nccl, Types::fp32, world, world, world);
    check_all(fake_cuda::train_fp16_over_nccl, Types::fp16, world, world, world);
    check_all(fake_cuda::train_bf16_over_nccl, Types::bf16, world, world, world);
  }
}

TEST_CASE("nccl equivalence: ranks without a micro-batch hand over nothing, or NaN, and change no bit") {
  std::uint64_t seed = 0;
  for (int micro_batches : {2, 5}) {
    auto const expected = engine_test::train({.types = Types::fp16, .self = true, .accumulation = micro_batches});
    for (auto stage : engine_test::stages) {
      for (auto absent : {engine_test::Absent::hands_over_nothing, engine_test::Absent::hands_over_nan}) {
        Run const run{.types = Types::fp16,
                      .stage = stage,
                      .offload = ++seed % 2 == 1,
                      .world = 3,
                      .micro_batches = micro_batches,
                      .absent = absent,
                      .streams = 2};
        auto const order = fake_cuda::every_order[seed % fake_cuda::every_order.size()];
        fake_cuda::check(fake_cuda::train_fp16_over_nccl, run, {.seed = seed, .order = order, .devices = 3}, expected);
      }
    }
  }
}

TEST_CASE("nccl equivalence: every order of several seeds gives the same bits") {
  auto const expected = engine_test::train({.types = Types::fp16, .self = true, .accumulation = 2});
  for (auto order : fake_cuda::every_order) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      for (auto stage : {zero::Stage::gradients, zero::Stage::parameters}) {
        Run const run{.types = Types::fp16,
                      .stage = stage,
                      .offload = seed % 2 == 1,
                      .world = 2,
                      .evaluates = true,
                      .streams = 3};
        fake_cuda::check(fake_cuda::train_fp16_over_nccl, run, {.seed = seed, .order = order, .devices = 2}, expected);
      }
    }
  }
}

}  // namespace fake_cuda_nccl_equivalence_test
