// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"

#include <zero/activation/segment_plan.hpp>

#include <cstddef>

namespace gpt2 {

using zero::activation::Recompute;

/// How a model keeps its activations.
struct ActivationSettings {
  Recompute recompute = Recompute::none;
  std::size_t kept_inputs = zero::activation::SegmentPlan::all;  ///< with Recompute::block
  bool dropout = false;                                          ///< there may be some: it needs scratch
  bool inputs_in_host_memory = false;                            ///< of a model on a GPU: kept inputs, in pinned memory
};

/// Elements per token of what the forward pass keeps of one block.
struct BlockActivations {
  std::size_t normalized, inverse_deviation;  ///< of each of two LayerNorms
  std::size_t qkv, log_sum, attended;         ///< what Recompute::selective computes again
  std::size_t hidden;
  std::size_t input;  ///< where the block's input is kept: with Recompute::block

  explicit constexpr BlockActivations(ModelShape const& shape)
      : normalized(shape.width),
        inverse_deviation(1),
        qkv(3 * shape.width),
        log_sum(shape.heads),
        attended(shape.width),
        hidden(4 * shape.width),
        input(shape.width) {}

  /// Of the LayerNorms and the MLP, and of the attention.
  [[nodiscard]] constexpr std::size_t rest() const noexcept { return 2 * (normalized + inverse_deviation) + hidden; }
  [[nodiscard]] constexpr std::size_t attention() const noexcept { return qkv + log_sum + attended; }
};

/// Buffer sets of what blocks keep. `rest` and `attention` count those of BlockActivations.
struct BlockSets {
  std::size_t rest, attention, inputs;

  explicit BlockSets(zero::activation::SegmentPlan const& plan) noexcept
      : rest(plan.sets()),
        attention(plan.recompute() == Recompute::selective ? 1 : plan.sets()),
        inputs(plan.kept_inputs()) {}
};

/// Elements of what a model in fp32 on the host keeps of its blocks, for \p tokens tokens: without the last LayerNorm
/// and the logits.
[[nodiscard]] inline std::size_t block_activation_elements(ModelShape const& shape, std::size_t tokens,
                                                           zero::activation::SegmentPlan const& plan) {
  BlockActivations const block(shape);
  BlockSets const sets(plan);
  return tokens * (sets.rest * block.rest() + sets.attention * block.attention() + sets.inputs * block.input);
}

/// The same of the whole model: with the last LayerNorm and the logits.
[[nodiscard]] inline std::size_t activation_elements(ModelShape const& shape, std::size_t tokens,
                                                     zero::activation::SegmentPlan const& plan) {
  return block_activation_elements(shape, tokens, plan) + tokens * (shape.width + 1 + shape.vocabulary);
}

}  // namespace gpt2
