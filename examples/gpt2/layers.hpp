// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "dropout.hpp"
#include "float_scratch.hpp"
#include "kernels.hpp"
#include "weights.hpp"

#include <zero/thread_pool.hpp>

#include <cstddef>
#include <span>

/// The layers of a GPT-2 that are not plain products, over fp32 buffers that the caller owns. All split their work over
/// the pool by shape alone, so the bits of every result are the same for any number of threads; all block until done.
namespace gpt2 {

/// LayerNorm with epsilon 1e-5 over the rows of a [rows, width] matrix, and what its backward pass needs.
struct LayerNorm {
  std::size_t rows, width;
  float const* weight;       ///< [width]
  float const* bias;         ///< [width]
  float* normalized;         ///< [rows, width], written by the forward pass
  float* inverse_deviation;  ///< [rows], written by the forward pass
};

/// out = LayerNorm(x), both [rows, width].
void layer_norm_forward(zero::ThreadPool& pool, LayerNorm const& norm, float const* x, float* out);

/// out as the forward pass left it, from what it kept.
void layer_norm_again(zero::ThreadPool& pool, LayerNorm const& norm, float* out);

/// Elements of scratch that `layer_norm_backward` needs.
[[nodiscard]] std::size_t layer_norm_scratch(std::size_t rows, std::size_t width);

/// dx (+)= the gradient of the input, from dy [rows, width].
void layer_norm_backward(zero::ThreadPool& pool, LayerNorm const& norm, float const* dy, Gradient<float> dx,
                         Gradient<float> dweight, Gradient<float> dbias, float* scratch);

/// Causal self-attention of `sequences` sequences of `length` tokens; one token's row of `qkv` holds all heads'
/// queries, then keys, then values, each `width` wide.
struct Attention {
  std::size_t sequences, length, heads, width;
  float const* qkv;       ///< [sequences * length, 3 width]
  float* log_sum;         ///< [sequences, heads, length]: log-sum-exp of the scores, written by the forward pass
  DropoutMask dropout{};  ///< of the probabilities, [sequences, heads, length, length]
};

/// out [sequences * length, width] = softmax(q k^T / sqrt(head size)) v per head, in blocks of 64 by 64 scores that are
/// never all in memory (Dao, "FlashAttention-2", arXiv:2307.08691).
void attention_forward(zero::ThreadPool& pool, Attention const& attention, float* out);

/// dqkv [sequences * length, 3 width] from dout, both as in the forward pass, whose \p out it reads.
void attention_backward(zero::ThreadPool& pool, Attention const& attention, float const* out, float const* dout,
                        float* dqkv);

/// values [count] times what \p mask says of each.
void drop(zero::ThreadPool& pool, DropoutMask const& mask, std::size_t count, float* values);

/// out [count] = values [count] times what \p mask says of each; or that is added to it.
void drop_into(zero::ThreadPool& pool, DropoutMask const& mask, std::size_t count, float const* values,
               Gradient<float> out);

/// The mean over all targets of -log softmax(logits)[target], added in row order in double. logits [targets,
/// vocabulary] become the gradient of that mean. \p losses is scratch of one element per target.
float cross_entropy(zero::ThreadPool& pool, std::span<Token const> targets, std::size_t vocabulary, float* logits,
                    float* losses);

}  // namespace gpt2
