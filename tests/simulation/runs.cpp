// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "simulation/runs.hpp"

#include "engine/trainer.hpp"

#include <zero/communicators/simulation.hpp>

namespace {

using engine_test::Result;
using engine_test::Run;
using Communicator = zero::SimulationCommunicator;

/// The trainer's own work as operations of simulated streams.
class OnStreams {
 public:
  template <class T>
  using Array = std::vector<T>;

  OnStreams(Communicator& communicator, int streams) : process_(communicator.process()) {
    for (int k = 0; k < streams; ++k) streams_.push_back(communicator.make_stream("compute " + std::to_string(k)));
  }

  template <class Config>
  void configure(Config& config, Run const& /*run*/) {
    config.backend = {process_};
  }
  [[nodiscard]] zero::SimulationStream stream(std::size_t k) const { return streams_[k % streams_.size()]; }
  template <class F>
  void launch(zero::SimulationStream stream, char const* name, std::vector<engine_test::Touched> const& touched,
              std::size_t n, F f) {
    std::vector<zero::simulation::Access> accesses;
    for (auto const& t : touched) {
      accesses.push_back(t.writes ? zero::simulation::writes(t.data, t.bytes)
                                  : zero::simulation::reads(t.data, t.bytes));
    }
    stream.launch(name, std::move(accesses), [n, f] {
      for (std::size_t i = 0; i < n; ++i) f(i);
    });
  }
  template <class T>
  void look_at(zero::SimulationStream stream, std::span<T const> values) {
    launch(stream, "forward", {engine_test::reads(values)}, 0, [](std::size_t) {});
  }
  template <class T>
  [[nodiscard]] std::vector<T> fetch(zero::SimulationStream stream, std::span<T const> values) {
    std::vector<T> fetched(values.size());
    launch(stream, "fetch", {engine_test::reads(values)}, values.size(),
           [=, to = fetched.data()](std::size_t i) { to[i] = values[i]; });
    stream.synchronize();
    return fetched;
  }

 private:
  zero::detail::simulation::Process process_;
  std::vector<zero::SimulationStream> streams_;
};

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
