// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "decoder_weights.hpp"

#include <zero/kernels/float_types.hpp>

#include <stdexcept>
#include <utility>

namespace gpt2 {
namespace {

template <class T>
void round_to(std::vector<float>& values) {
  for (float& value : values) value = zero::widen(zero::narrow<T>(value));
}

std::vector<float> rounded(WeightType type, std::vector<float> values) {
  if (type == WeightType::bf16) round_to<zero::bfloat16>(values);
  if (type == WeightType::fp16) round_to<zero::float16>(values);
  return values;
}

}  // namespace

DecoderWeights::DecoderWeights(ModelShape const& shape, WeightType type, ReadParameter const& read,
                               zero::ThreadPool& pool)
    : blocks(shape.layers), shape_(shape), type_(type) {
  auto const all = parameter_shapes(shape);
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto values = read(all[i].name);
    if (values.size() != all[i].size()) {
      throw std::invalid_argument("gpt2::DecoderWeights: '" + all[i].name + "' has another size");
    }
    take(i, std::move(values), pool);
  }
}

void DecoderWeights::take(std::size_t place, std::vector<float> values, zero::ThreadPool& pool) {
  std::size_t const width = shape_.width, in_blocks = 2 + shape_.layers * block_parameter_count;
  auto const matrix = [&](std::size_t outputs, std::size_t inputs, Order order) {
    return WeightMatrix(type_, outputs, inputs, values, order, pool);
  };
  if (place == 0) {
    wte = matrix(shape_.vocabulary, width, Order::outputs_first);
  } else if (place == 1) {
    wpe = rounded(type_, std::move(values));
  } else if (place >= in_blocks) {
    (place == in_blocks ? ln_f_weight : ln_f_bias) = rounded(type_, std::move(values));
  } else {
    auto& block = blocks[(place - 2) / block_parameter_count];
    auto const conv = [&](std::size_t outputs, std::size_t inputs) {
      return matrix(outputs, inputs, Order::inputs_first);
    };
    switch (static_cast<BlockParameter>((place - 2) % block_parameter_count)) {
      case attention_weight:
        block.attention = conv(3 * width, width);
        return;
      case attention_projection_weight:
        block.attention_projection = conv(width, width);
        return;
      case mlp_weight:
        block.mlp = conv(4 * width, width);
        return;
      case mlp_projection_weight:
        block.mlp_projection = conv(width, 4 * width);
        return;
      case ln_1_weight:
        block.ln_1_weight = rounded(type_, std::move(values));
        return;
      case ln_1_bias:
        block.ln_1_bias = rounded(type_, std::move(values));
        return;
      case attention_bias:
        block.attention_bias = rounded(type_, std::move(values));
        return;
      case attention_projection_bias:
        block.attention_projection_bias = rounded(type_, std::move(values));
        return;
      case ln_2_weight:
        block.ln_2_weight = rounded(type_, std::move(values));
        return;
      case ln_2_bias:
        block.ln_2_bias = rounded(type_, std::move(values));
        return;
      case mlp_bias:
        block.mlp_bias = rounded(type_, std::move(values));
        return;
      case mlp_projection_bias:
        block.mlp_projection_bias = rounded(type_, std::move(values));
        return;
      case block_parameter_count:
        return;
    }
  }
}

std::size_t DecoderWeights::bytes_per_token() const noexcept {
  std::size_t bytes = wte.bytes() + (ln_f_weight.size() + ln_f_bias.size()) * sizeof(float);
  for (auto const& block : blocks) {
    for (auto const* matrix : {&block.attention, &block.attention_projection, &block.mlp, &block.mlp_projection}) {
      bytes += matrix->bytes();
    }
    for (auto const* values :
         {&block.ln_1_weight, &block.ln_1_bias, &block.attention_bias, &block.attention_projection_bias,
          &block.ln_2_weight, &block.ln_2_bias, &block.mlp_bias, &block.mlp_projection_bias}) {
      bytes += values->size() * sizeof(float);
    }
  }
  return bytes;
}

std::size_t DecoderWeights::bytes() const noexcept { return bytes_per_token() + wpe.size() * sizeof(float); }

}  // namespace gpt2
