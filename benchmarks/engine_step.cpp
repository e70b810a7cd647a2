// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A training step without a model: what the engine itself costs. `step` runs all of it over a flat 64 M parameters,
// with gradients that are there already; `hand_over` is the price of taking and handing back one gradient of many.
#include <zero/engine.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace {

template <zero::Stage S, class Offload = zero::NoOffload>
using Engine = zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW, Offload>, zero::Precision<zero::BF16>>;

/// \p layers parameters of \p elements each, one unit per layer.
zero::ParameterList model(std::size_t layers, std::size_t elements, std::vector<zero::ParameterId>& ids) {
  zero::ParameterList list;
  for (std::size_t l = 0; l < layers; ++l) {
    ids.push_back(list.add({.name = "layer" + std::to_string(l), .shape = {elements}, .unit = static_cast<int>(l)}));
  }
  return list;
}

template <class E>
void micro_batch(E& engine, std::vector<zero::ParameterId> const& ids, zero::HostStream stream) {
  auto batch = engine.begin_micro_batch(stream);
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    auto weights = engine.gather(*id, stream);
    auto gradients = engine.gradients(*id, stream);
    benchmark::DoNotOptimize(gradients.write(*id).values.data());
    gradients.ready(stream);
  }
  batch.finish(stream);
}

template <class E>
void step(benchmark::State& state) {
  constexpr std::size_t layers = 16, elements = std::size_t{1} << 22;
  zero::SelfCommunicator alone;
  std::vector<zero::ParameterId> ids;
  auto const list = model(layers, elements, ids);
  E engine{alone, list, {.gradient_clipping = 1.0, .backend = {.threads = static_cast<int>(state.range(0))}}};
  zero::HostStream stream;
  for (auto _ : state) {
    micro_batch(engine, ids, stream);
    benchmark::DoNotOptimize(engine.step(stream).get().gradient_norm);
  }
  state.counters["Mparam/s"] =
      benchmark::Counter(static_cast<double>(layers * elements) / 1e6, benchmark::Counter::kIsIterationInvariantRate);
}

// Small parameters in many buckets: the data is next to nothing, so the time is that of the calls.
template <class E>
void hand_over(benchmark::State& state) {
  constexpr std::size_t layers = 1024;
  zero::SelfCommunicator alone;
  std::vector<zero::ParameterId> ids;
  auto const list = model(layers, 1, ids);
  E engine{alone, list, {.gradient_accumulation_steps = 1 << 20, .bucket_elements = layers * 128}};
  zero::HostStream stream;
  std::optional batch(engine.begin_micro_batch(stream));
  std::size_t next = layers;
  for (auto _ : state) {
    auto gradients = engine.gradients(ids[--next], stream);
    benchmark::DoNotOptimize(gradients.write(ids[next]).values.data());
    gradients.ready(stream);
    if (next > 0) continue;
    state.PauseTiming();
    batch->finish(stream);
    batch.emplace(engine.begin_micro_batch(stream));
    next = layers;
    state.ResumeTiming();
  }
  engine.discard_gradients();
}

BENCHMARK(step<Engine<zero::Stage::none>>)
    ->ArgName("threads")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(step<Engine<zero::Stage::gradients>>)
    ->ArgName("threads")
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(step<Engine<zero::Stage::parameters>>)
    ->ArgName("threads")
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(step<Engine<zero::Stage::gradients, zero::CpuOffload>>)
    ->ArgName("threads")
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(hand_over<Engine<zero::Stage::gradients>>);

}  // namespace

BENCHMARK_MAIN();
