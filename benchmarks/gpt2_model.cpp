// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Forward and backward of the GPT-2 example alone, without data, engine or optimizer, in tokens per second; and what
// its activations take where some of them are computed again.
#include <gpt2/activations.hpp>
#include <gpt2/model.hpp>

#include <zero/thread_pool.hpp>

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <vector>

namespace {

constexpr gpt2::ModelShape small{.layers = 4, .heads = 4, .width = 128, .context = 64, .vocabulary = 65};
constexpr gpt2::ModelShape gpt2_124m_1024{
    .layers = 12, .heads = 12, .width = 768, .context = 1024, .vocabulary = 50257};
constexpr gpt2::ModelShape gpt2_124m{.layers = 12, .heads = 12, .width = 768, .context = 64, .vocabulary = 50257};

/// All parameters and gradients of a model in buffers of their own, and one micro-batch that goes through them.
template <class T>
class MicroBatch {
 public:
  MicroBatch(gpt2::ModelShape const& shape, std::size_t sequences, zero::ThreadPool& pool,
             gpt2::ActivationSettings const& activations = {})
      : shape_(shape), model_(shape, sequences, pool, activations), tokens_(sequences * shape.context) {
    for (auto const& parameter : gpt2::parameter_shapes(shape)) {
      std::vector<float> values(parameter.size());
      gpt2::initialize(shape, parameter.name, values, 1);
      weights_.emplace_back(values.size());
      gradients_.emplace_back(values.size());
      zero::cast(zero::best_instruction_set(), weights_.back().data(), values.data(), values.size());
    }
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      tokens_[i] = static_cast<gpt2::Token>((i * 7919 + 13) % shape.vocabulary);
    }
  }

  void run() {
    gpt2::HeadWeights<T> const head{weights_[ln_f()].data(), weights_[ln_f() + 1].data(), weights_[0].data()};
    gpt2::HeadGradients<T> const head_gradients{gradient(ln_f()), gradient(ln_f() + 1), gradient(0)};
    model_.embed_forward(tokens_, shape_.context, weights_[0].data(), weights_[1].data());
    for (std::size_t layer = 0; layer < shape_.layers; ++layer) model_.block_forward(layer, block_weights(layer));
    benchmark::DoNotOptimize(model_.head_forward(head, tokens_));
    model_.head_backward(1.0F, head, head_gradients);
    model_.plan().for_each_backward_call([&](zero::activation::BackwardCall const& call) {
      auto const weights = block_weights(call.block);
      if (call.work == zero::activation::BackwardWork::again) return model_.block_again(call.block, weights);
      model_.block_backward(call.block, weights, block_gradients(call.block));
    });
    model_.embed_backward(tokens_, {gradients_[0].data(), true}, gradient(1));
  }

  [[nodiscard]] std::size_t tokens() const { return tokens_.size(); }
  [[nodiscard]] std::size_t bytes() const { return model_.activation_bytes() + model_.scratch_bytes(); }
  /// Of activations, those of blocks alone, and with the logits and the last LayerNorm.
  [[nodiscard]] std::size_t block_bytes() const {
    return sizeof(float) * gpt2::block_activation_elements(shape_, tokens_.size(), model_.plan());
  }
  [[nodiscard]] std::size_t activation_bytes() const { return model_.activation_bytes(); }

 private:
  [[nodiscard]] std::size_t ln_f() const { return weights_.size() - 2; }
  [[nodiscard]] static std::size_t first_of(std::size_t layer) { return 2 + layer * gpt2::block_parameter_count; }
  gpt2::Gradient<T> gradient(std::size_t i) { return {gradients_[i].data(), false}; }

  gpt2::BlockWeights<T> block_weights(std::size_t layer) {
    gpt2::BlockWeights<T> weights{};
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = weights_[first_of(layer) + i].data();
    return weights;
  }
  gpt2::BlockGradients<T> block_gradients(std::size_t layer) {
    gpt2::BlockGradients<T> gradients{};
    for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = gradient(first_of(layer) + i);
    return gradients;
  }

  gpt2::ModelShape shape_;
  gpt2::Model<T> model_;
  std::vector<gpt2::Token> tokens_;
  std::vector<std::vector<T>> weights_, gradients_;
};

template <class T>
void forward_and_backward(benchmark::State& state, gpt2::ModelShape const& shape, std::size_t sequences) {
  zero::ThreadPool pool(static_cast<int>(state.range(0)));
  MicroBatch<T> micro_batch(shape, sequences, pool);
  micro_batch.run();  // the first run touches new memory
  for (auto _ : state) micro_batch.run();
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(micro_batch.tokens()), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["MiB"] = static_cast<double>(micro_batch.bytes()) / (1 << 20);
}

/// Of one sequence. The processors' time tells the kinds apart on a machine that does other work, too.
void recomputing(benchmark::State& state) {
  auto const kind = static_cast<gpt2::Recompute>(state.range(0));
  zero::ThreadPool pool(2);
  MicroBatch<float> micro_batch(gpt2_124m_1024, 1, pool, {.recompute = kind});
  micro_batch.run();
  for (auto _ : state) micro_batch.run();
  state.SetLabel(std::string(zero::activation::name(kind)));
  state.counters["blocks MB"] = static_cast<double>(micro_batch.block_bytes()) / 1e6;
  state.counters["activations MB"] = static_cast<double>(micro_batch.activation_bytes()) / 1e6;
}

void small_fp32(benchmark::State& state) { forward_and_backward<float>(state, small, 12); }
void small_bf16(benchmark::State& state) { forward_and_backward<zero::bfloat16>(state, small, 12); }
void gpt2_124m_fp32(benchmark::State& state) { forward_and_backward<float>(state, gpt2_124m, 4); }
void gpt2_124m_bf16(benchmark::State& state) { forward_and_backward<zero::bfloat16>(state, gpt2_124m, 4); }

BENCHMARK(small_fp32)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();
BENCHMARK(small_bf16)->ArgName("threads")->Arg(2)->UseRealTime();
BENCHMARK(gpt2_124m_fp32)->MinTime(3.0)->ArgName("threads")->Arg(2)->UseRealTime();
BENCHMARK(gpt2_124m_bf16)->MinTime(3.0)->ArgName("threads")->Arg(2)->UseRealTime();
BENCHMARK(recomputing)
    ->ArgName("kind")
    ->Arg(0)
    ->Arg(1)
    ->Arg(2)
    ->Iterations(1)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
