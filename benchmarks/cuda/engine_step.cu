// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A training step without a model on one GPU: what the engine itself costs over 2^28 parameters whose gradients are
// there already, beside a copy of the bytes that it must move; and the host's time for putting it on its streams, taken
// as usual and recorded.

#include "measure.cuh"

#include <chrono>
#include <string>

namespace {

template <zero::Stage S, class Prec>
using EngineOf =
    zero::Engine<zero::Partitioner<S>, zero::Optimizer<zero::AdamW>, Prec, zero::CudaBackend, zero::SelfCommunicator>;

template <class E>
class Rig {
 public:
  Rig(std::size_t layers, std::size_t elements)
      : own_(device_.backend.make_stream("trainer")), stream_(own_.get()), engine_(self_, model(layers, elements), {}) {
    take();
  }
  void take() {
    micro_batch();
    (void)engine_.step(stream_);
  }
  void micro_batch() {
    auto batch = engine_.begin_micro_batch(stream_);
    for (auto id = ids_.rbegin(); id != ids_.rend(); ++id) {
      auto weights = engine_.gather(*id, stream_);
      auto gradients = engine_.gradients(*id, stream_);
      benchmark::DoNotOptimize(gradients.write(*id).values.data());
      gradients.ready(stream_);
    }
    batch.finish(stream_);
  }
  [[nodiscard]] E& engine() { return engine_; }
  [[nodiscard]] zero::CudaStream stream() const { return stream_; }
  [[nodiscard]] measure::Device& device() { return device_; }

 private:
  zero::ParameterList model(std::size_t layers, std::size_t elements) {
    zero::ParameterList list;
    for (std::size_t l = 0; l < layers; ++l) {
      ids_.push_back(list.add({.name = "layer" + std::to_string(l), .shape = {elements}, .unit = static_cast<int>(l)}));
    }
    return list;
  }

  measure::Device device_;
  zero::CudaBackend::OwnedStream own_;
  zero::CudaStream stream_;
  zero::SelfCommunicator self_;
  std::vector<zero::ParameterId> ids_;
  E engine_;
};

template <class E>
void step(benchmark::State& state) {
  constexpr std::size_t layers = 64, elements = std::size_t{1} << 22, all = layers * elements;
  Rig<E> rig(layers, elements);
  // A gradient is read and its sum written; the sum is read for the norm, and again by the update.
  constexpr std::size_t reduced = sizeof(typename E::Compute) + 4;
  constexpr std::size_t updated = 4 + 3 * 8 + sizeof(typename E::Compute);
  constexpr std::size_t bytes = all * (reduced + 4 + updated);
  auto* const from = rig.device().template allocate<std::byte>(all * 4);
  auto* const to = rig.device().template allocate<std::byte>(all * 4);
  measure::compare(
      state, static_cast<double>(bytes), [&] { return measure::seconds_of(rig.stream(), [&] { rig.take(); }); },
      2.0 * static_cast<double>(all * 4), [&] { return measure::copy_seconds(rig.stream(), to, from, all * 4); });
}

using Bf16 = zero::Precision<zero::BF16>;
using Fp16 = zero::Precision<zero::FP16, zero::DynamicScale>;

// Small parameters: the device has next to nothing to do, so that the host's calls count.
template <bool recorded>
void host_time(benchmark::State& state) {
  constexpr std::size_t layers = 200;
  Rig<EngineOf<zero::Stage::gradients, Fp16>> rig(layers, 1024);
  auto const captured = rig.engine().capture(rig.stream(), [&] { rig.take(); });
  for (auto _ : state) {
    auto const begin = std::chrono::steady_clock::now();
    if (recorded) {
      (void)captured.replay({}, rig.stream());
    } else {
      rig.take();
    }
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    measure::check(cudaStreamSynchronize(rig.stream().handle()), "cudaStreamSynchronize");
  }
}

BENCHMARK(step<EngineOf<zero::Stage::gradients, Bf16>>)->Apply(measure::as_rounds);
BENCHMARK(step<EngineOf<zero::Stage::gradients, Fp16>>)->Apply(measure::as_rounds);
BENCHMARK(step<EngineOf<zero::Stage::parameters, Bf16>>)->Apply(measure::as_rounds);
BENCHMARK(host_time<false>)->UseManualTime()->Unit(benchmark::kMicrosecond);
BENCHMARK(host_time<true>)->UseManualTime()->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
