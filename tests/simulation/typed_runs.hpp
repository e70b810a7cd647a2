// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/trainer.hpp"
#include "simulation/on_streams.hpp"
#include "simulation/runs.hpp"

#include <zero/communicators/simulation.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace simulation_test {

// `train` of engines with one precision: one translation unit for each, since it instantiates eight engines.

template <class Engine>
engine_test::Result train_engine(engine_test::Run const& run, zero::SimulationOptions options,
                                 zero::SimulationResult* simulated) {
  using Communicator = zero::SimulationCommunicator;
  options.ranks = run.world;
  std::vector<engine_test::Result> results(static_cast<std::size_t>(run.world));
  auto const seen = zero::simulate(options, [&](Communicator& communicator) {
    results[static_cast<std::size_t>(communicator.rank())] =
        engine_test::Trainer<Engine, Communicator, OnStreams>(communicator, run).train();
  });
  if (simulated != nullptr) *simulated = seen;
  return engine_test::merged(std::move(results));
}

template <zero::Stage S, class Prec>
engine_test::Result train_at(engine_test::Run const& run, zero::SimulationOptions const& options,
                             zero::SimulationResult* simulated) {
  using zero::CpuOffload, zero::NoOffload, zero::SimulationBackend, zero::SimulationCommunicator;
  using Shards = zero::Partitioner<S>;
  using OnDevice =
      zero::Engine<Shards, zero::Optimizer<zero::AdamW, NoOffload>, Prec, SimulationBackend, SimulationCommunicator>;
  using Offloaded =
      zero::Engine<Shards, zero::Optimizer<zero::AdamW, CpuOffload>, Prec, SimulationBackend, SimulationCommunicator>;
  return run.offload ? train_engine<Offloaded>(run, options, simulated)
                     : train_engine<OnDevice>(run, options, simulated);
}

template <class Prec>
engine_test::Result train_with(engine_test::Run const& run, zero::SimulationOptions const& options,
                               zero::SimulationResult* simulated) {
  switch (run.stage) {
    case zero::Stage::none:
      return train_at<zero::Stage::none, Prec>(run, options, simulated);
    case zero::Stage::optimizer_states:
      return train_at<zero::Stage::optimizer_states, Prec>(run, options, simulated);
    case zero::Stage::gradients:
      return train_at<zero::Stage::gradients, Prec>(run, options, simulated);
    default:
      return train_at<zero::Stage::parameters, Prec>(run, options, simulated);
  }
}

}  // namespace simulation_test
