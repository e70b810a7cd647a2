// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// How many operations a second the simulation runs, with its checker on and off: a step of a small model, in which data
// is moved and updated as in any run. Argument: ranks.
#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::BF16>, zero::SimulationBackend, zero::SimulationCommunicator>;
using zero::simulation::reads;
using zero::simulation::writes;

void train(zero::SimulationCommunicator& rank) {
  zero::ParameterList parameters;
  std::vector<zero::ParameterId> ids(16);
  for (int l = 0; l < 16; ++l) {
    ids[static_cast<std::size_t>(l)] =
        parameters.add({.name = "layer " + std::to_string(l), .shape = {256}, .unit = l});
  }
  Engine engine{rank, parameters, {.bucket_elements = 256, .backend = {rank.process()}}};
  auto const stream = rank.make_stream("compute");
  for (int step = 0; step < 10; ++step) {
    auto micro_batch = engine.begin_micro_batch(stream);
    for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
      auto const weights = engine.gather(*id, stream);
      auto gradients = engine.gradients(*id, stream);
      auto const target = gradients.write(*id).values;
      stream.launch("backward", {reads(weights[*id]), writes(target)}, [target] {
        for (auto& g : target) g = zero::narrow<zero::bfloat16>(1.0F);
      });
      gradients.ready(stream);
    }
    micro_batch.finish(stream);
    benchmark::DoNotOptimize(engine.step({.lr = 1e-3}, stream).get());
  }
}

void simulated_operations(benchmark::State& state, bool check) {
  std::uint64_t operations = 0;
  std::uint64_t seed = 0;
  for (auto _ : state) {
    operations +=
        zero::simulate({.ranks = static_cast<int>(state.range(0)), .seed = ++seed, .check = check}, train).operations;
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(operations));
}

}  // namespace

BENCHMARK_CAPTURE(simulated_operations, checked, true)
    ->Arg(1)
    ->Arg(4)
    ->Arg(16)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(simulated_operations, unchecked, false)
    ->Arg(1)
    ->Arg(4)
    ->Arg(16)
    ->Arg(64)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MeasureProcessCPUTime();
BENCHMARK_MAIN();
