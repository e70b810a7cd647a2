// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/joint_runs.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fake_cuda_joint_test {

// Several engines of one rank on the CUDA backend.

using joint_test::Part;
using joint_test::Run;
using zero::Stage;

namespace {

joint_test::Result train(Run const& run) {
  static std::uint64_t seed = 0;
  fake_cuda::start({.seed = ++seed, .order = zero::SimulationOrder::random});
  auto result = fake_cuda::train_joint(run);
  fake_cuda::finish();
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  return result;
}

}  // namespace

TEST_CASE("joint step, fake CUDA: parameters divided over engines have the bits of one engine") {
  Run run{.accumulation = 2, .steps = 3, .streams = 2};
  auto one = run;
  one.alone = true, one.parts = {{.gradient_ring = 64}}, one.accumulation = 4;
  auto const expected = train(one);
  std::vector<std::vector<Part>> const divisions{
      {{.stage = Stage::gradients}, {.stage = Stage::none}},
      {{.stage = Stage::optimizer_states}, {.stage = Stage::parameters}, {.stage = Stage::gradients, .offload = true}}};
  for (int world : {1, 2}) {
    run.world = world, run.accumulation = 4 / world;
    for (auto const& parts : divisions) {
      run.parts = parts;
      INFO(joint_test::describe(run));
      auto const result = train(run);
      CHECK(result.hash == expected.hash);
      CHECK(result.books_balance);
    }
  }
}

TEST_CASE("joint step, fake CUDA: one graph holds the step of all engines, and gives the bits of ordinary steps") {
  Run run{.parts = {{.stage = Stage::gradients}, {.stage = Stage::parameters}, {.stage = Stage::none}},
          .accumulation = 2,
          .steps = 5,
          .bad_step = -1,
          .repeated_from = 1};
  auto const expected = train(run);
  run.captured = true;
  auto const result = train(run);
  CHECK(result.hash == expected.hash);
  CHECK(result.steady);
  auto const launches = fake_cuda::counts().launches;
  run.steps += 4;
  (void)train(run);
  CHECK(fake_cuda::counts().launches == launches + 4);
}

TEST_CASE("joint step, fake CUDA: a step that cannot be captured is refused, and one that fails leaves all as it was") {
  Run run{.parts = {{.stage = Stage::gradients}, {.stage = Stage::none, .offload = true}},
          .steps = 3,
          .bad_step = -1,
          .repeated_from = 1,
          .captured = true};
  auto const refusal = [&run] {
    try {
      (void)train(run);
    } catch (zero::ConfigurationError const& error) {
      fake_cuda::finish();
      return std::string(error.what());
    } catch (zero::SequenceError const& error) {
      fake_cuda::finish();
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(refusal().find("the step of an offloaded member waits on the host") != std::string::npos);
  run.parts[1].offload = false;
  run.world = 2;
  CHECK(refusal().find("meet on the host, which cannot be captured") != std::string::npos);
  run.world = 1;
  run.repeated_from = 0;
  CHECK(refusal().find("capture before the first step") != std::string::npos);
  run.repeated_from = 1;
  auto const expected = train(run);
  run.member_captures = true;
  CHECK(refusal().find("capture of an engine that is a member of a joint step: call that of zero::JointStep") !=
        std::string::npos);
  run.member_captures = false;
  run.abandons_capture = true;
  CHECK(train(run).hash == expected.hash);
}

}  // namespace fake_cuda_joint_test
