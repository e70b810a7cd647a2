// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "activations.hpp"
#include "buffer.hpp"
#include "dropout.hpp"
#include "float_scratch.hpp"
#include "layers.hpp"
#include "matmul.hpp"
#include "model_input.hpp"
#include "parameters.hpp"
#include "weights.hpp"

#include <zero/kernels/cast.hpp>
#include <zero/thread_pool.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace gpt2 {

/// A GPT-2 (Radford et al. 2019: LayerNorm before each part of a block, tanh GELU, learned positions, tied embedding)
/// on the host, whose parameters and gradients lie in buffers of type \p T that the caller hands in layer by layer and
/// keeps.
///
/// One training step of a micro-batch calls, in this order: `embed_forward`, `block_forward` for 0 to layers − 1,
/// `head_forward`, `head_backward`, `block_backward` for layers − 1 to 0, `embed_backward`; where `plan()` has blocks
/// computed `again` before that, `block_again` for these. Activations and arithmetic
/// are fp32: 16-bit weights are widened before they are used, gradients are computed in fp32 and rounded to T once per
/// call. The bits of every result depend on the shapes and the values alone, not on the number of threads.
///
/// \tparam T float, zero::bfloat16 or zero::float16.
template <class T>
class Model {
 public:
  /// Allocates everything for up to \p sequences sequences of shape.context tokens; no call allocates after that.
  /// \p pool is borrowed and must outlive the model. What \p activations asks for changes no bits.
  /// \throws zero::ConfigurationError as SegmentPlan does.
  Model(ModelShape const& shape, std::size_t sequences, zero::ThreadPool& pool,
        ActivationSettings const& activations = {});

  [[nodiscard]] ModelShape const& shape() const noexcept { return shape_; }

  /// What is computed again, and when.
  [[nodiscard]] zero::activation::SegmentPlan const& plan() const noexcept { return plan_; }

  /// Bytes of activations: what the forward pass keeps for the backward pass, and room for what is computed again;
  /// logits included. As `activation_elements` says.
  [[nodiscard]] std::size_t activation_bytes() const noexcept;

  /// Bytes of scratch: what no pass needs from another, widened weights and fp32 gradients of one layer included.
  [[nodiscard]] std::size_t scratch_bytes() const noexcept;

  /// What the following passes drop, from the next `embed_forward` to its `embed_backward`; none at first.
  /// \throws std::logic_error where the model was not made for it.
  void set_dropout(Dropout const& dropout);

  /// Begins a forward pass: looks up \p tokens, sequences of \p length tokens one after the other, in wte
  /// [vocabulary, width] and adds wpe [context, width]. Shorter or fewer sequences than the model was made for will do.
  /// \throws std::invalid_argument when they do not fit or a token is not below the vocabulary.
  void embed_forward(std::span<Token const> tokens, std::size_t length, T const* wte, T const* wpe);

  void block_forward(std::size_t layer, BlockWeights<T> const& weights);

  /// The mean cross-entropy in nats of predicting \p targets, one per token of `embed_forward`.
  /// \throws std::invalid_argument when their number differs or a target is not below the vocabulary.
  [[nodiscard]] float head_forward(HeadWeights<T> const& weights, std::span<Token const> targets);

  /// The logits [vocabulary] after the last token of the last sequence, valid until the next call.
  [[nodiscard]] std::span<float const> last_logits(HeadWeights<T> const& weights);

  /// Begins the backward pass of the last `head_forward`. All gradients are those of \p loss_scale times the mean loss.
  void head_backward(float loss_scale, HeadWeights<T> const& weights, HeadGradients<T> const& gradients);

  /// The forward pass of a block once more, where `plan()` asks for it in a call of its own.
  void block_again(std::size_t layer, BlockWeights<T> const& weights);

  /// Computes again what it needs and `block_again` has not.
  void block_backward(std::size_t layer, BlockWeights<T> const& weights, BlockGradients<T> const& gradients);

  /// Ends the backward pass. \p tokens as in `embed_forward`. With `adds`, wte keeps the head's contribution.
  void embed_backward(std::span<Token const> tokens, Gradient<T> wte, Gradient<T> wpe);

 private:
  struct Block {
    Buffer normalized_1, inverse_deviation_1, normalized_2, inverse_deviation_2, hidden;
  };
  struct Attended {
    Buffer qkv, log_sum, attended;
  };
  using WideWeights = std::array<float const*, block_parameter_count>;

  [[nodiscard]] std::size_t rows() const noexcept { return sequences_ * length_; }
  [[nodiscard]] Block const& block(std::size_t layer) const { return blocks_[plan_.set(layer)]; }
  [[nodiscard]] Attended const& attended(std::size_t layer) const {
    return attended_[plan_.recompute() == Recompute::selective ? 0 : plan_.set(layer)];
  }
  [[nodiscard]] WideWeights widen_block(BlockWeights<T> const& weights);
  [[nodiscard]] LayerNorm norm(float const* weight, float const* bias, Buffer const& normalized,
                               Buffer const& inverse_deviation) const;
  [[nodiscard]] Attention attention(std::size_t layer) const;
  void qkv_and_attention(std::size_t layer, WideWeights const& weights);
  void attention_part_forward(std::size_t layer, WideWeights const& weights);
  void mlp_part_forward(std::size_t layer, WideWeights const& weights);
  void hidden_again(std::size_t layer, WideWeights const& weights);
  void add_output(ProductShape const& shape, float const* input, float const* weight, float const* bias,
                  DropoutMask const& mask);
  void take_input_again(std::size_t layer);
  void copy_rows(float* to, float const* from);
  [[nodiscard]] float const* dropped_gradient(DropoutMask const& mask);
  void attention_part_backward(std::size_t layer, WideWeights const& weights, Gradient<float> const* gradients);
  void mlp_part_backward(std::size_t layer, WideWeights const& weights, Gradient<float> const* gradients);
  void weight_gradient(std::size_t inputs, std::size_t outputs, float const* input, float const* doutput,
                       Gradient<float> dweight, Gradient<float> dbias);
  void add_embedding_rows(Gradient<T> wte, std::size_t token, std::size_t first, std::size_t last);

  ModelShape shape_;
  zero::ThreadPool& pool_;
  Multiplier multiply_;
  FloatScratch<T> scratch_;
  std::size_t capacity_;  // tokens
  std::size_t sequences_ = 0, length_ = 0;
  zero::activation::SegmentPlan plan_;
  Dropout dropout_;

  std::vector<Block> blocks_;       // by set of the plan
  std::vector<Attended> attended_;  // likewise; with Recompute::selective one for all
  std::vector<Buffer> inputs_;      // that the plan keeps
  Buffer head_normalized_, head_inverse_deviation_, logits_;

  Buffer residual_, dresidual_, narrow_, wide_, activated_, losses_, norm_scratch_;
  Buffer dropped_;  // [tokens, width], with dropout
  TokenOrder order_;
};

extern template class Model<float>;
extern template class Model<zero::bfloat16>;
extern template class Model<zero::float16>;

}  // namespace gpt2
