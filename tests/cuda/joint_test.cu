// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/on_device.cuh"
#include "joint/joint_trainer.hpp"

#include <zero/any_engine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

namespace cuda_joint_test {

using joint_test::Part;
using joint_test::Result;
using joint_test::Run;
using zero::Stage;

namespace {

template <class Backend, class Work>
Result train_with(Run const& run) {
  using Engine =
      zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>, Backend, zero::ThreadCommunicator>;
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  zero::run_ranks(run.world, [&](zero::ThreadCommunicator& world) {
    results[static_cast<std::size_t>(world.rank())] =
        joint_test::Trainer<Engine, zero::ThreadCommunicator, Work>(world, run).train();
  });
  for (auto const& other : results) CHECK(other.hash == results[0].hash);
  return results[0];
}
Result on_host(Run const& run) { return train_with<zero::HostBackend, engine_test::AtOnce>(run); }
Result on_device(Run const& run) { return train_with<zero::CudaBackend, cuda_test::OnDevice>(run); }

}  // namespace

TEST_CASE("joint step, CUDA: parameters divided over engines have the bits of one engine on the host") {
  Run run{.parts = {{.gradient_ring = 64}}, .alone = true, .accumulation = 4, .steps = 4};
  auto const expected = on_host(run);
  run.alone = false;
  for (int world : {1, 2}) {
    run.world = world, run.accumulation = 4 / world;
    for (auto const& parts : std::vector<std::vector<Part>>{
             {{.stage = Stage::gradients}, {.stage = Stage::none}},
             {{.stage = Stage::optimizer_states}, {.stage = Stage::parameters}},
             {{.stage = Stage::parameters}, {.stage = Stage::gradients, .offload = true}, {.stage = Stage::none}}}) {
      run.parts = parts;
      INFO(joint_test::describe(run));
      auto const result = on_device(run);
      CHECK(result.hash == expected.hash);
      CHECK(result.books_balance);
    }
  }
}

TEST_CASE("joint step, CUDA: one graph holds the step of all engines, and gives the bits of ordinary steps") {
  Run run{.parts = {{.stage = Stage::gradients}, {.stage = Stage::parameters}, {.stage = Stage::none}},
          .accumulation = 2,
          .steps = 5,
          .bad_step = -1,
          .repeated_from = 1};
  auto const expected = on_host(run);
  run.captured = true;
  CHECK(on_device(run).hash == expected.hash);
}

}  // namespace cuda_joint_test
