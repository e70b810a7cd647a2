// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/equivalence.hpp"
#include "fake_cuda/runs.hpp"

#include <doctest/doctest.h>

#include <array>

namespace fake_cuda_equivalence_test {

using engine_test::Run;
using engine_test::Types;
using fake_cuda::check;
using fake_cuda::check_all;

namespace {

constexpr std::array cuda_types = {Types::fp32, Types::fp16, Types::bf16};

}  // namespace

TEST_CASE("equivalence: one rank on a GPU's streams gives the host's bits, in every stage, type and order") {
  for (auto types : cuda_types) check_all(fake_cuda::train, types, 1, 1), check_all(fake_cuda::train, types, 1, 2);
}

TEST_CASE("equivalence: two and three ranks of one process give the bits of one") {
  for (auto types : cuda_types) check_all(fake_cuda::train, types, 2, 2), check_all(fake_cuda::train, types, 3, 3);
}

TEST_CASE("equivalence: a delayed update has the host's bits, whenever the host comes to it") {
  for (auto types : cuda_types) {
    Run run{.types = types, .offload = true, .accumulation = 2, .delayed_update = true, .clipping = 0.5};
    auto const expected = engine_test::train(run);
    run.world = 2, run.accumulation = 1, run.evaluates = true, run.streams = 3;
    std::uint64_t seed = 0;
    for (auto stage : engine_test::stages) {
      run.stage = stage;
      for (auto order : fake_cuda::every_order)
        check(fake_cuda::train, run, {.seed = ++seed, .order = order}, expected);
    }
  }
}

TEST_CASE("equivalence: a share on the device that ends in the middle of a bucket changes no bit") {
  for (auto types : cuda_types) {
    auto const expected = engine_test::train({.types = types, .self = true, .accumulation = 4});
    std::uint64_t seed = 0;
    for (auto stage : engine_test::stages) {
      for (auto order : fake_cuda::every_order) {
        check(fake_cuda::train,
              {.types = types,
               .stage = stage,
               .offload = true,
               .world = 2,
               .accumulation = 2,
               .bucket_elements = 4096,
               .device_share = 0.4,
               .streams = 3},
              {.seed = ++seed, .order = order}, expected);
      }
    }
  }
}

TEST_CASE("equivalence: every order of several seeds gives the same bits") {
  auto const expected = engine_test::train({.types = Types::fp16, .self = true, .accumulation = 2});
  for (auto order : fake_cuda::every_order) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      for (bool offload : {false, true}) {
        Run run{.types = Types::fp16,
                .stage = zero::Stage::parameters,
                .offload = offload,
                .world = 2,
                .evaluates = true,
                .streams = 3};
        check(fake_cuda::train, run, {.seed = seed, .order = order}, expected);
        run.stage = zero::Stage::gradients;
        check(fake_cuda::train, run, {.seed = seed, .order = order}, expected);
      }
    }
  }
}

}  // namespace fake_cuda_equivalence_test
