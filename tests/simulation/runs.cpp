// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "simulation/runs.hpp"

#include "engine/trainer.hpp"
#include "simulation/on_streams.hpp"

#include <zero/communicators/simulation.hpp>

namespace {

using engine_test::Result;
using engine_test::Run;
using simulation_test::OnStreams;
using Communicator = zero::SimulationCommunicator;

template <zero::Stage S, class Offload>
Result train_on(Run const& run, zero::SimulationOptions options, zero::SimulationResult* simulated) {
  using Engine = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>,
                              zero::Precision<zero::FP16, zero::DynamicScale>, zero::SimulationBackend, Communicator>;
  options.ranks = run.world;
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  auto const seen = zero::simulate(options, [&](Communicator& communicator) {
    results[static_cast<std::size_t>(communicator.rank())] =
        engine_test::Trainer<Engine, Communicator, OnStreams>(communicator, run).train();
  });
  if (simulated != nullptr) *simulated = seen;
  return engine_test::merged(std::move(results));
}

template <zero::Stage S>
Result train_at(Run const& run, zero::SimulationOptions const& options, zero::SimulationResult* simulated) {
  return run.offload ? train_on<S, zero::CpuOffload>(run, options, simulated)
                     : train_on<S, zero::NoOffload>(run, options, simulated);
}

}  // namespace

Result simulation_test::train(Run const& run, zero::SimulationOptions options, zero::SimulationResult* simulated) {
  switch (run.stage) {
    case zero::Stage::none:
      return train_at<zero::Stage::none>(run, options, simulated);
    case zero::Stage::optimizer_states:
      return train_at<zero::Stage::optimizer_states>(run, options, simulated);
    case zero::Stage::gradients:
      return train_at<zero::Stage::gradients>(run, options, simulated);
    default:
      return train_at<zero::Stage::parameters>(run, options, simulated);
  }
}
