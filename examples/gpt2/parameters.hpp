// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gpt2 {

/// The size of a GPT-2. `width` must be a multiple of `heads`; `context` is the longest sequence. GPT-2 124M is
/// {.layers = 12, .heads = 12, .width = 768, .context = 1024, .vocabulary = 50257}.
struct ModelShape {
  std::size_t layers, heads, width, context, vocabulary;

  /// Elements of a query, a key or a value of one head.
  [[nodiscard]] std::size_t head_size() const noexcept { return width / heads; }
};

/// One parameter as an optimizer sees it.
struct ParameterShape {
  std::string name;  ///< as in Hugging Face's GPT-2, without a prefix: "h.0.attn.c_attn.weight"
  std::vector<std::size_t> shape;
  bool decays;                ///< weight decay applies: to matrices, not to biases and LayerNorm
  std::size_t contributions;  ///< gradients per micro-batch: 2 for the token embedding, which is also the head
  std::size_t unit;           ///< 0: embeddings, i + 1: block i, layers + 1: the last LayerNorm

  [[nodiscard]] std::size_t size() const {
    std::size_t product = 1;
    for (auto const extent : shape) product *= extent;
    return product;
  }
};

/// The parameters of one block, in the order of `parameter_shapes`.
enum BlockParameter : std::size_t {
  ln_1_weight,
  ln_1_bias,
  attention_weight,
  attention_bias,
  attention_projection_weight,
  attention_projection_bias,
  ln_2_weight,
  ln_2_bias,
  mlp_weight,
  mlp_bias,
  mlp_projection_weight,
  mlp_projection_bias,
  block_parameter_count
};

/// All parameters in forward order: wte [vocabulary, width], wpe [context, width], each block's twelve, ln_f. Matrices
/// lie as Hugging Face's Conv1D keeps them: [inputs, outputs].
[[nodiscard]] std::vector<ParameterShape> parameter_shapes(ModelShape const& shape);

/// Number of elements of all parameters together.
[[nodiscard]] std::size_t parameter_count(ModelShape const& shape);

/// Fills \p values as GPT-2 initializes the parameter \p name: LayerNorm 1 and 0, biases 0, weights N(0, 0.02²), those
/// that write to the residual stream (c_proj) N(0, 0.02² / (2 layers)), because 2 layers of them add up in it. Each
/// value depends on (\p seed, \p name, its index) alone, whatever else is initialized and in which order.
void initialize(ModelShape const& shape, std::string_view name, std::span<float> values, std::uint64_t seed);

}  // namespace gpt2
