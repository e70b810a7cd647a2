// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/joint_runs.hpp"
#include "fake_cuda/machine.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace fake_cuda_nccl_joint_test {

// Several engines of each rank over NCCL.

using joint_test::Run;
using zero::Stage;

namespace {

joint_test::Result train(Run const& run, joint_test::Result (*f)(Run const&)) {
  fake_cuda::start({.seed = 3, .order = zero::SimulationOrder::random, .devices = run.world});
  auto result = f(run);
  fake_cuda::finish();
  return result;
}

}  // namespace

TEST_CASE("joint step, fake NCCL: ranks with a device each have the bits of one engine, in ragged rounds too") {
  Run run{.micro_batches = 3, .steps = 3};
  auto one = run;
  one.alone = true, one.parts = {{.gradient_ring = 64}}, one.accumulation = 3, one.micro_batches.reset();
  auto const expected = train(one, fake_cuda::train_joint);
  run.world = 2;
  run.parts = {
      {.stage = Stage::optimizer_states}, {.stage = Stage::parameters}, {.stage = Stage::gradients, .offload = true}};
  CHECK(train(run, fake_cuda::train_joint_over_nccl).hash == expected.hash);
}

TEST_CASE("joint step, fake NCCL: graphs hold the steps of all engines and their collectives") {
  Run run{.parts = {{.stage = Stage::gradients}, {.stage = Stage::parameters}},
          .world = 2,
          .steps = 5,
          .bad_step = -1,
          .repeated_from = 1};
  auto const expected = train(run, fake_cuda::train_joint_over_nccl);
  run.captured = true;
  CHECK(train(run, fake_cuda::train_joint_over_nccl).hash == expected.hash);
}

}  // namespace fake_cuda_nccl_joint_test
