// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/joint_runs.hpp"

#include "fake_cuda/host_kernels.cuh"
#include "fake_cuda/work.cuh"
#include "joint/joint_trainer.hpp"

#include <zero/any_engine.hpp>

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace {

template <class Communicator>
using EngineOn =
    zero::AnyEngine<zero::AdamW, zero::Precision<zero::FP16, zero::DynamicScale>, zero::CudaBackend, Communicator>;
template <class Communicator>
using TrainerOn = joint_test::Trainer<EngineOn<Communicator>, Communicator, fake_cuda::OnCudaStreams>;

}  // namespace

joint_test::Result fake_cuda::train_joint(joint_test::Run const& run) {
  [[maybe_unused]] static bool const added = [] {
    add_host_kernels<zero::AdamW, zero::DynamicScale, zero::float16, float>();
    return true;
  }();
  if (run.world == 1) {
    zero::SelfCommunicator self;
    return TrainerOn<zero::SelfCommunicator>(self, run).train();
  }
  std::vector<joint_test::Result> results(static_cast<std::size_t>(run.world));
  zero::run_ranks(run.world, [&](zero::ThreadCommunicator& world) {
    results[static_cast<std::size_t>(world.rank())] = TrainerOn<zero::ThreadCommunicator>(world, run).train();
  });
  for (auto const& other : results) {
    if (other.hash != results[0].hash) throw std::runtime_error("ranks have other bits");
  }
  return results[0];
}
