// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/joint_runs.hpp"

#include "fake_cuda/host_kernels.cuh"
#include "fake_cuda/nccl_ranks.hpp"
#include "fake_cuda/work.cuh"
#include "joint/joint_trainer.hpp"

#include <zero/any_engine.hpp>

#include <cstddef>
#include <exception>
#include <stdexcept>
#include <vector>

joint_test::Result fake_cuda::train_joint_over_nccl(joint_test::Run const& run) {
  [[maybe_unused]] static bool const added = [] {
    add_host_kernels<zero::AdamW, zero::DynamicScale, zero::float16, float>();
    return true;
  }();
  using Engine = zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>, zero::CudaBackend,
                                 zero::NcclCommunicator>;
  std::vector<joint_test::Result> results(static_cast<std::size_t>(run.world));
  auto const ends = on_nccl_ranks(run.world, {}, [&](zero::NcclCommunicator& world) {
    joint_test::Trainer<Engine, zero::NcclCommunicator, OnCudaStreams> trainer(world, run);
    results[static_cast<std::size_t>(world.rank())] = trainer.train();
    world.exchange({}, {});  // nobody leaves before all have come here
  });
  for (auto const& end : ends) {
    if (end.thrown) std::rethrow_exception(end.thrown);
  }
  for (auto const& other : results) {
    if (other.hash != results[0].hash) throw std::runtime_error("ranks have other bits");
  }
  return results[0];
}
