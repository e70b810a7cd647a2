// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "data/batch_source.hpp"
#include "engines.hpp"
#include "registered_parameters.hpp"
#include "weights.hpp"

#include <zero/activation/recomputed_blocks.hpp>
#include <zero/activation/segment_plan.hpp>

#include <cstddef>
#include <span>
#include <vector>

namespace gpt2 {

/// The model of one rank over buffers that the engine hands out: a pass gathers the weights of a part, and a backward
/// pass asks where its gradients go. Every rank makes the same calls, in one order, because gathers are collective.
///
/// \tparam Target as of Trainer
template <class Target, class T>
class ShardedModel {
 public:
  using Engine = TrainerEngine<Target, T>;
  using Compute = typename Target::template Compute<T>;

  /// All are borrowed. \p length is that of a sequence.
  ShardedModel(Engine& engine, Compute& compute, RegisteredParameters const& parameters, std::size_t length)
      : engine_(engine),
        compute_(compute),
        parameters_(parameters),
        length_(length),
        stream_(compute.stream()),
        passes_(compute.model().plan(), ids_of(parameters.blocks())) {}

  /// For the loss alone, which `compute` keeps.
  void forward(TokenBatch const& batch) {
    embed(batch);
    blocks_forward();
    auto const weights = engine_.gather(parameters_.head(), stream_);
    compute_.head_forward(head_weights(weights), batch.targets);
  }

  /// Inside a micro-batch of the engine. Hands over the gradient of each parameter as it is done.
  void forward_and_backward(TokenBatch const& batch) {
    embed(batch);
    blocks_forward();
    head(batch);
    blocks_backward();
    embed_backward(batch);
  }

  /// The gathers of `forward_and_backward`, by a rank that has no micro-batch.
  void gather_as_others_do() {
    (void)engine_.gather(parameters_.embedding(), stream_);
    passes_.gather_forward(engine_, stream_);
    (void)engine_.gather(parameters_.head(), stream_);
    passes_.gather_backward(engine_, stream_);
  }

 private:
  using Lease = typename Engine::Lease;
  using Gradients = typename Engine::Gradients;

  [[nodiscard]] static std::vector<std::vector<zero::ParameterId>> ids_of(
      std::vector<RegisteredParameters::Block> const& blocks) {
    std::vector<std::vector<zero::ParameterId>> ids;
    ids.reserve(blocks.size());
    for (auto const& block : blocks) ids.emplace_back(block.begin(), block.end());
    return ids;
  }
  [[nodiscard]] auto& model() { return compute_.model(); }

  void embed(TokenBatch const& batch) {
    auto const& [wte, wpe] = parameters_.embedding();
    auto const weights = engine_.gather(parameters_.embedding(), stream_);
    model().embed_forward(batch.tokens, length_, weights[wte].data(), weights[wpe].data());
  }
  void embed_backward(TokenBatch const& batch) {
    auto const& [wte, wpe] = parameters_.embedding();
    auto gradients = engine_.gradients(parameters_.embedding(), stream_);
    model().embed_backward(batch.tokens, target(gradients, wte), target(gradients, wpe));
    gradients.ready(stream_);
  }
  /// The head's two passes follow each other, under one lease.
  void head(TokenBatch const& batch) {
    auto const& ids = parameters_.head();
    auto const weights = engine_.gather(ids, stream_);
    compute_.head_forward(head_weights(weights), batch.targets);
    auto gradients = engine_.gradients(ids, stream_);
    compute_.head_backward(engine_.loss_scale(), head_weights(weights),
                           {target(gradients, ids[0]), target(gradients, ids[1]), target(gradients, ids[2])});
    gradients.ready(stream_);
  }
  void blocks_forward() {
    passes_.forward(engine_, stream_, [&](std::size_t block, Lease const& weights) {
      model().block_forward(block, block_weights(weights, block));
    });
  }
  void blocks_backward() {
    using zero::activation::BackwardCall, zero::activation::BackwardWork;
    passes_.backward(engine_, stream_, [&](BackwardCall const& call, Lease const& lease) {
      auto const weights = block_weights(lease, call.block);
      if (call.work == BackwardWork::again) return model().block_again(call.block, weights);
      block_backward(call.block, weights);
    });
  }
  void block_backward(std::size_t block, BlockWeights<T> const& weights) {
    auto const& ids = parameters_.blocks()[block];
    auto gradients = engine_.gradients(ids, stream_);
    BlockGradients<T> targets;
    for (std::size_t i = 0; i < targets.size(); ++i) targets[i] = target(gradients, ids[i]);
    model().block_backward(block, weights, targets);
    gradients.ready(stream_);
  }

  static Gradient<T> target(Gradients const& gradients, zero::ParameterId id) {
    auto const place = gradients.write(id);
    return {place.values.data(), place.adds};
  }
  [[nodiscard]] BlockWeights<T> block_weights(Lease const& lease, std::size_t block) const {
    auto const& ids = parameters_.blocks()[block];
    BlockWeights<T> weights;
    for (std::size_t i = 0; i < ids.size(); ++i) weights[i] = lease[ids[i]].data();
    return weights;
  }
  [[nodiscard]] HeadWeights<T> head_weights(Lease const& lease) const {
    auto const& [ln_f_weight, ln_f_bias, wte] = parameters_.head();
    return {lease[ln_f_weight].data(), lease[ln_f_bias].data(), lease[wte].data()};
  }

  Engine& engine_;
  Compute& compute_;
  RegisteredParameters const& parameters_;
  std::size_t length_;
  typename Target::Backend::Stream stream_;
  zero::activation::RecomputedBlocks passes_;
};

}  // namespace gpt2
