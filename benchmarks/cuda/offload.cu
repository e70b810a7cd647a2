// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// An offloaded step over 2^27 parameters beside the slowest of its three parts: gradients' sums to the host, the update
// there, parameters to the device. The parts are measured while all three run at once, without depending on each other.
// `update` is the step itself, whose sums came home during backward; `whole` brings them home first.

#include "measure.cuh"

#include <chrono>
#include <string>

namespace {

constexpr std::size_t layers = 32, per_layer = std::size_t{1} << 22, all = layers * per_layer;
using Engine = zero::Engine<zero::Partitioner<zero::Stage::gradients>, zero::Optimizer<zero::AdamW, zero::CpuOffload>,
                            zero::Precision<zero::BF16>, zero::CudaBackend, zero::SelfCommunicator>;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// The three parts over the same sizes and kinds of memory, in chunks.
class Parts {
 public:
  Parts(measure::Device& device, std::size_t chunk)
      : device_(device),
        chunk_(chunk),
        down_(device.backend.make_stream("down")),
        host_(device.backend.make_stream("host")),
        up_(device.backend.make_stream("up")),
        home_(device.allocate<float>(all, zero::MemoryKind::pageable)),
        sums_(device.allocate<float>(chunk * 2)),
        pinned_sums_(device.allocate<float>(chunk * 2, zero::MemoryKind::pinned)),
        values_(device.allocate<zero::bfloat16>(all)),
        pinned_values_(device.allocate<zero::bfloat16>(chunk * 2, zero::MemoryKind::pinned)) {
    arguments_.master = device.allocate<float>(all, zero::MemoryKind::pageable);
    arguments_.gradient = device.allocate<float>(all, zero::MemoryKind::pageable);
    for (auto& s : arguments_.states) s = device.allocate<float>(all, zero::MemoryKind::pageable);
    decision_ = {true, 0.5F, &constants_};
  }

  /// Seconds until the slowest has ended.
  [[nodiscard]] double run() {
    double const begin = now();
    std::size_t const chunk = chunk_;
    for (std::size_t i = 0; i < all / chunk; ++i) {
      std::size_t const slot = i % 2 * chunk;
      device_.backend.copy(pinned_sums_ + slot, sums_ + slot, chunk * 4, down_.get());
      device_.backend.copy_on_host(home_ + i * chunk, pinned_sums_ + slot, chunk * 4, down_.get());
      auto a = arguments_;
      a.master += i * chunk, a.gradient += i * chunk;
      for (auto& s : a.states) s += i * chunk;
      a.value = pinned_values_ + slot;
      device_.backend.update_on_host({segments_, nullptr}, a, &decision_, host_.get());
      device_.backend.copy(values_ + i * chunk, pinned_values_ + slot, chunk * 2, up_.get());
    }
    for (auto const* stream : {&up_, &down_, &host_}) device_.backend.synchronize(stream->get());
    return now() - begin;
  }

 private:
  measure::Device& device_;
  std::size_t chunk_;
  zero::CudaBackend::OwnedStream down_, host_, up_;
  float *home_, *sums_, *pinned_sums_;
  zero::bfloat16 *values_, *pinned_values_;
  std::vector<zero::Segment> segments_{{0, 0, 0, 0, chunk_}};
  zero::AdamW::Constants constants_ = zero::AdamW::constants({}, 10);
  zero::Decision<zero::AdamW> decision_;
  zero::UpdateArguments<zero::AdamW, zero::bfloat16, float> arguments_{};
};

class Trainer {
 public:
  Trainer(measure::Device& device, std::size_t chunk)
      : stream_(device.stream), engine_(self_, model(), {.offload = {.chunk_elements = chunk}}) {}

  /// Seconds of a step with its backward pass, or without.
  [[nodiscard]] double take(bool whole) {
    double begin = now();
    auto batch = engine_.begin_micro_batch(stream_);
    for (auto id = ids_.rbegin(); id != ids_.rend(); ++id) {
      auto gradients = engine_.gradients(*id, stream_);
      benchmark::DoNotOptimize(gradients.write(*id).values.data());
      gradients.ready(stream_);
    }
    batch.finish(stream_);
    measure::check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    if (!whole) begin = now();
    (void)engine_.step(stream_).get();
    for (auto id : ids_) (void)engine_.gather(id, stream_);  // the new parameters are there
    measure::check(cudaStreamSynchronize(stream_.handle()), "cudaStreamSynchronize");
    return now() - begin;
  }

 private:
  zero::ParameterList model() {
    zero::ParameterList list;
    for (std::size_t l = 0; l < layers; ++l) {
      ids_.push_back(
          list.add({.name = "layer" + std::to_string(l), .shape = {per_layer}, .unit = static_cast<int>(l)}));
    }
    return list;
  }

  zero::CudaStream stream_;
  zero::SelfCommunicator self_;
  std::vector<zero::ParameterId> ids_;
  Engine engine_;
};

template <bool whole>
void offload(benchmark::State& state) {
  measure::Device device;
  auto const chunk = std::size_t{1} << state.range(0);
  Parts parts(device, chunk);
  Trainer trainer(device, chunk);
  // Per parameter: 4 bytes down, 2 up; the host copies 4, and updates with 16 read and 14 written.
  measure::compare(
      state, static_cast<double>(all), [&] { return trainer.take(whole); }, static_cast<double>(all),
      [&] { return parts.run(); });
}

void as_steps(benchmark::internal::Benchmark* one) {
  one->ArgName("log2_chunk")->Arg(20)->Arg(22)->UseManualTime()->Iterations(21)->Unit(benchmark::kMillisecond);
}
BENCHMARK(offload<false>)->Name("offload/update")->Apply(as_steps);
BENCHMARK(offload<true>)->Name("offload/whole")->Apply(as_steps);

}  // namespace

BENCHMARK_MAIN();
