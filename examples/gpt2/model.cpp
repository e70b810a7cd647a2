// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "model.hpp"

#include <algorithm>

namespace gpt2 {
namespace {

constexpr std::size_t cast_part = std::size_t{1} << 16;  // elements per task that copies

// Rows of wte that the head widens at a time: bounds the scratch of a 16-bit model. A multiple of the depth of a block
// of a product, so that the parts give the same bits as the whole.
template <class T>
std::size_t vocabulary_part(std::size_t vocabulary) {
  constexpr std::size_t most = 32 * depth_block;
  return std::is_same_v<T, float> ? vocabulary : std::min(vocabulary, most);
}

std::size_t block_size(std::size_t parameter, std::size_t width) {
  switch (parameter) {
    case attention_weight:
      return 3 * width * width;
    case attention_bias:
      return 3 * width;
    case attention_projection_weight:
      return width * width;
    case mlp_weight:
    case mlp_projection_weight:
      return 4 * width * width;
    case mlp_bias:
      return 4 * width;
    default:
      return width;
  }
}

// Elements of the largest layer: a block, or a part of the head with its LayerNorm.
template <class T>
std::size_t largest_layer(ModelShape const& shape) {
  std::size_t block = 0;
  for (std::size_t i = 0; i < block_parameter_count; ++i) block += block_size(i, shape.width);
  return std::max(block, (vocabulary_part<T>(shape.vocabulary) + 2) * shape.width);
}

}  // namespace

template <class T>
Model<T>::Model(ModelShape const& shape, std::size_t sequences, zero::ThreadPool& pool)
    : shape_(shape),
      pool_(pool),
      multiply_(pool),
      scratch_(pool, largest_layer<T>(shape)),
      capacity_(sequences * shape.context) {
  std::size_t const tokens = capacity_, width = shape.width;
  blocks_.reserve(shape.layers);
  for (std::size_t layer = 0; layer < shape.layers; ++layer) {
    blocks_.push_back({Buffer(tokens * width), Buffer(tokens), Buffer(tokens * 3 * width), Buffer(tokens * shape.heads),
                       Buffer(tokens * width), Buffer(tokens * width), Buffer(tokens), Buffer(tokens * 4 * width)});
  }
  head_normalized_ = Buffer(tokens * width), head_inverse_deviation_ = Buffer(tokens);
  logits_ = Buffer(tokens * shape.vocabulary);
  residual_ = Buffer(tokens * width), dresidual_ = Buffer(tokens * width), narrow_ = Buffer(tokens * width);
  wide_ = Buffer(tokens * 4 * width), activated_ = Buffer(tokens * 4 * width);
  losses_ = Buffer(tokens), norm_scratch_ = Buffer(layer_norm_scratch(tokens, width));
  order_.reserve(tokens);
}

template <class T>
std::size_t Model<T>::activation_bytes() const noexcept {
  std::size_t bytes = head_normalized_.bytes() + head_inverse_deviation_.bytes() + logits_.bytes();
  for (auto const& b : blocks_) {
    for (auto const* buffer : {&b.normalized_1, &b.inverse_deviation_1, &b.qkv, &b.log_sum, &b.attended,
                               &b.normalized_2, &b.inverse_deviation_2, &b.hidden}) {
      bytes += buffer->bytes();
    }
  }
  return bytes;
}

template <class T>
std::size_t Model<T>::scratch_bytes() const noexcept {
  std::size_t bytes = 0;
  for (auto const* buffer : {&residual_, &dresidual_, &narrow_, &wide_, &activated_, &losses_, &norm_scratch_}) {
    bytes += buffer->bytes();
  }
  return bytes + multiply_.bytes() + scratch_.bytes() + order_.bytes();
}

template <class T>
std::array<float const*, block_parameter_count> Model<T>::widen_block(BlockWeights<T> const& weights) {
  std::array<float const*, block_parameter_count> wide{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < block_parameter_count; at += block_size(i++, shape_.width)) {
    wide[i] = scratch_.weight(weights[i], block_size(i, shape_.width), at);
  }
  return wide;
}

template <class T>
LayerNorm Model<T>::norm(float const* weight, float const* bias, Buffer const& normalized,
                         Buffer const& inverse_deviation) const {
  return {rows(), shape_.width, weight, bias, normalized.get(), inverse_deviation.get()};
}

template <class T>
Attention Model<T>::attention(Block const& block) const {
  return {sequences_, length_, shape_.heads, shape_.width, block.qkv.get(), block.log_sum.get()};
}

template <class T>
void Model<T>::embed_forward(std::span<Token const> tokens, std::size_t length, T const* wte, T const* wpe) {
  require_rows(shape_, capacity_, tokens.size(), length);
  require_below_vocabulary(shape_, tokens);
  sequences_ = tokens.size() / length, length_ = length;
  std::size_t const width = shape_.width;
  for_parts(pool_, tokens.size(), 64, [&](std::size_t first, std::size_t count) {
    for (std::size_t row = first; row < first + count; ++row) {
      T const* const token = wte + tokens[row] * width;
      T const* const position = wpe + row % length * width;
      float* const out = residual_.get() + row * width;
      for (std::size_t i = 0; i < width; ++i) out[i] = zero::widen(token[i]) + zero::widen(position[i]);
    }
  });
}

template <class T>
void Model<T>::block_forward(std::size_t layer, BlockWeights<T> const& weights) {
  Block& kept = blocks_[layer];
  auto const w = widen_block(weights);
  std::size_t const n = rows(), width = shape_.width;
  float* const x = residual_.get();
  OutputMatrix const residual{x, width, true}, qkv{kept.qkv.get(), 3 * width};
  OutputMatrix const hidden{kept.hidden.get(), 4 * width}, activated{activated_.get(), 4 * width};
  auto const adds_bias = [](OutputMatrix c, float const* bias) {
    return [=](Tile const& t) { kernels().add_bias(t.rows, t.columns, t.of(c), bias + t.column); };
  };

  layer_norm_forward(pool_, norm(w[ln_1_weight], w[ln_1_bias], kept.normalized_1, kept.inverse_deviation_1), x,
                     narrow_.get());
  multiply_({n, 3 * width, width}, 1.0F, {narrow_.get(), width}, {w[attention_weight], 3 * width}, qkv,
            adds_bias(qkv, w[attention_bias]));
  attention_forward(pool_, attention(kept), kept.attended.get());
  multiply_({n, width, width}, 1.0F, {kept.attended.get(), width}, {w[attention_projection_weight], width}, residual,
            adds_bias(residual, w[attention_projection_bias]));

  layer_norm_forward(pool_, norm(w[ln_2_weight], w[ln_2_bias], kept.normalized_2, kept.inverse_deviation_2), x,
                     narrow_.get());
  multiply_({n, 4 * width, width}, 1.0F, {narrow_.get(), width}, {w[mlp_weight], 4 * width}, hidden,
            [&](Tile const& t) {
              kernels().bias_gelu(t.rows, t.columns, t.of(hidden), w[mlp_bias] + t.column, t.of(activated));
            });
  multiply_({n, width, 4 * width}, 1.0F, {activated_.get(), 4 * width}, {w[mlp_projection_weight], width}, residual,
            adds_bias(residual, w[mlp_projection_bias]));
}

template <class T>
float Model<T>::head_forward(HeadWeights<T> const& weights, std::span<Token const> targets) {
  require_targets(shape_, rows(), targets);
  std::size_t const width = shape_.width, vocabulary = shape_.vocabulary;
  auto const* const weight = scratch_.weight(weights.ln_f_weight, width, 0);
  auto const* const bias = scratch_.weight(weights.ln_f_bias, width, width);
  layer_norm_forward(pool_, norm(weight, bias, head_normalized_, head_inverse_deviation_), residual_.get(),
                     narrow_.get());
  for (std::size_t first = 0; first < vocabulary; first += vocabulary_part<T>(vocabulary)) {
    std::size_t const part = std::min(vocabulary_part<T>(vocabulary), vocabulary - first);
    auto const* const wte = scratch_.weight(weights.wte + first * width, part * width, 2 * width);
    multiply_({rows(), part, width}, {narrow_.get(), width}, {wte, width, true}, {logits_.get() + first, vocabulary});
  }
  return cross_entropy(pool_, targets, vocabulary, logits_.get(), losses_.get());
}

template <class T>
std::span<float const> Model<T>::last_logits(HeadWeights<T> const& weights) {
  std::size_t const width = shape_.width, vocabulary = shape_.vocabulary, last = (rows() - 1) * width;
  auto const* const weight = scratch_.weight(weights.ln_f_weight, width, 0);
  auto const* const bias = scratch_.weight(weights.ln_f_bias, width, width);
  LayerNorm const one_row{1, width, weight, bias, head_normalized_.get(), head_inverse_deviation_.get()};
  layer_norm_forward(pool_, one_row, residual_.get() + last, narrow_.get());
  for (std::size_t first = 0; first < vocabulary; first += vocabulary_part<T>(vocabulary)) {
    std::size_t const part = std::min(vocabulary_part<T>(vocabulary), vocabulary - first);
    auto const* const wte = scratch_.weight(weights.wte + first * width, part * width, 2 * width);
    multiply_({1, part, width}, {narrow_.get(), width}, {wte, width, true}, {logits_.get() + first, vocabulary});
  }
  return {logits_.get(), vocabulary};
}

template <class T>
void Model<T>::head_backward(float loss_scale, HeadWeights<T> const& weights, HeadGradients<T> const& gradients) {
  std::size_t const width = shape_.width, vocabulary = shape_.vocabulary, n = rows();
  auto const* const weight = scratch_.weight(weights.ln_f_weight, width, 0);
  auto const* const bias = scratch_.weight(weights.ln_f_bias, width, width);
  auto const last_norm = norm(weight, bias, head_normalized_, head_inverse_deviation_);
  layer_norm_again(pool_, last_norm, narrow_.get());
  // The input's gradient goes to the wide scratch: the product with the last part of wte still reads the input itself.
  float* const dinput = wide_.get();
  auto const nothing = [](Tile const&) {};
  for (std::size_t first = 0; first < vocabulary; first += vocabulary_part<T>(vocabulary)) {
    std::size_t const part = std::min(vocabulary_part<T>(vocabulary), vocabulary - first), at = first * width;
    auto const* const wte = scratch_.weight(weights.wte + at, part * width, 2 * width);
    float const* const dlogits = logits_.get() + first;
    multiply_({n, width, part}, loss_scale, {dlogits, vocabulary}, {wte, width}, {dinput, width, first != 0}, nothing);
    Gradient<T> const rows_of_wte{gradients.wte.values + at, gradients.wte.adds};
    auto const dwte = scratch_.begin_gradient(rows_of_wte, 2 * width);
    multiply_({part, width, n}, loss_scale, {dlogits, vocabulary, true}, {narrow_.get(), width},
              {dwte.values, width, dwte.adds}, nothing);
    scratch_.end_gradient(rows_of_wte, part * width, 2 * width);
  }
  layer_norm_backward(pool_, last_norm, dinput, {dresidual_.get(), false},
                      scratch_.begin_gradient(gradients.ln_f_weight, 0),
                      scratch_.begin_gradient(gradients.ln_f_bias, width), norm_scratch_.get());
  scratch_.end_gradient(gradients.ln_f_weight, width, 0);
  scratch_.end_gradient(gradients.ln_f_bias, width, width);
}

// dweight [inputs, outputs] (+)= input^T doutput, dbias [outputs] (+)= the column sums of doutput.
template <class T>
void Model<T>::weight_gradient(std::size_t inputs, std::size_t outputs, float const* input, float const* doutput,
                               Gradient<float> dweight, Gradient<float> dbias) {
  multiply_(
      {inputs, outputs, rows()}, 1.0F, {input, inputs, true}, {doutput, outputs},
      {dweight.values, outputs, dweight.adds}, [&](Tile const& t) {
        if (t.row != 0) return;  // one task per group of columns, while the product has them in cache
        kernels().column_sums(rows(), t.columns, {doutput + t.column, outputs}, dbias.values + t.column, dbias.adds);
      });
}

template <class T>
void Model<T>::mlp_part_backward(Block& block, float const* const* w, Gradient<float> const* g) {
  std::size_t const n = rows(), width = shape_.width;
  auto const second_norm = norm(w[ln_2_weight], w[ln_2_bias], block.normalized_2, block.inverse_deviation_2);
  ConstMatrix const hidden{block.hidden.get(), 4 * width};
  OutputMatrix const dhidden{wide_.get(), 4 * width}, activated{activated_.get(), 4 * width};
  multiply_(
      {n, 4 * width, width}, 1.0F, {dresidual_.get(), width}, {w[mlp_projection_weight], width, true}, dhidden,
      [&](Tile const& t) { kernels().gelu_backward(t.rows, t.columns, t.of(hidden), t.of(dhidden), t.of(activated)); });
  weight_gradient(4 * width, width, activated_.get(), dresidual_.get(), g[mlp_projection_weight],
                  g[mlp_projection_bias]);
  layer_norm_again(pool_, second_norm, narrow_.get());
  weight_gradient(width, 4 * width, narrow_.get(), wide_.get(), g[mlp_weight], g[mlp_bias]);
  multiply_({n, width, 4 * width}, {wide_.get(), 4 * width}, {w[mlp_weight], 4 * width, true}, {narrow_.get(), width});
  layer_norm_backward(pool_, second_norm, narrow_.get(), {dresidual_.get(), true}, g[ln_2_weight], g[ln_2_bias],
                      norm_scratch_.get());
}

template <class T>
void Model<T>::attention_part_backward(Block& block, float const* const* w, Gradient<float> const* g) {
  std::size_t const n = rows(), width = shape_.width;
  auto const first_norm = norm(w[ln_1_weight], w[ln_1_bias], block.normalized_1, block.inverse_deviation_1);
  multiply_({n, width, width}, {dresidual_.get(), width}, {w[attention_projection_weight], width, true},
            {narrow_.get(), width});
  weight_gradient(width, width, block.attended.get(), dresidual_.get(), g[attention_projection_weight],
                  g[attention_projection_bias]);
  attention_backward(pool_, attention(block), block.attended.get(), narrow_.get(), wide_.get());
  layer_norm_again(pool_, first_norm, narrow_.get());
  weight_gradient(width, 3 * width, narrow_.get(), wide_.get(), g[attention_weight], g[attention_bias]);
  multiply_({n, width, 3 * width}, {wide_.get(), 3 * width}, {w[attention_weight], 3 * width, true},
            {narrow_.get(), width});
  layer_norm_backward(pool_, first_norm, narrow_.get(), {dresidual_.get(), true}, g[ln_1_weight], g[ln_1_bias],
                      norm_scratch_.get());
}

template <class T>
void Model<T>::block_backward(std::size_t layer, BlockWeights<T> const& weights, BlockGradients<T> const& gradients) {
  auto const w = widen_block(weights);
  std::array<Gradient<float>, block_parameter_count> g{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < g.size(); at += block_size(i++, shape_.width)) {
    g[i] = scratch_.begin_gradient(gradients[i], at);
  }
  mlp_part_backward(blocks_[layer], w.data(), g.data());
  attention_part_backward(blocks_[layer], w.data(), g.data());
  at = 0;
  for (std::size_t i = 0; i < g.size(); at += block_size(i++, shape_.width)) {
    scratch_.end_gradient(gradients[i], block_size(i, shape_.width), at);
  }
}

// Adds to one token's row of wte the gradients of all its positions, [first, last) in their order, rounded once.
template <class T>
void Model<T>::add_embedding_rows(Gradient<T> wte, std::size_t token, std::size_t first, std::size_t last) {
  std::size_t const width = shape_.width;
  constexpr std::size_t part = 1024;
  float sums[part];
  for (std::size_t column = 0; column < width; column += part) {
    std::size_t const size = std::min(part, width - column);
    std::fill_n(sums, size, 0.0F);
    for (std::size_t i = first; i < last; ++i) {
      float const* const from = dresidual_.get() + order_.positions()[i] * width + column;
      for (std::size_t j = 0; j < size; ++j) sums[j] += from[j];
    }
    put_gradient(Gradient<T>{wte.values + token * width + column, true}, sums, size);
  }
}

template <class T>
void Model<T>::embed_backward(std::span<Token const> tokens, Gradient<T> wte, Gradient<T> wpe) {
  require_rows(shape_, capacity_, tokens.size(), length_);
  require_below_vocabulary(shape_, tokens);
  std::size_t const width = shape_.width;
  if (!wte.adds) {
    for_parts(pool_, shape_.vocabulary * width, cast_part,
              [&](std::size_t first, std::size_t count) { std::fill_n(wte.values + first, count, T{}); });
  }
  order_.sort(tokens);
  auto const& begins = order_.begins();
  for_parts(pool_, order_.size(), 16, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      add_embedding_rows(wte, tokens[order_.positions()[begins[i]]], begins[i], begins[i + 1]);
    }
  });
  // One position's gradients of all sequences lie length rows apart: the column sums of a matrix [sequences, length x
  // width].
  kernels().column_sums(sequences_, length_ * width, {dresidual_.get(), length_ * width}, narrow_.get(), false);
  for_parts(pool_, length_ * width, cast_part, [&](std::size_t first, std::size_t count) {
    put_gradient(Gradient<T>{wpe.values + first, wpe.adds}, narrow_.get() + first, count);
  });
  if (!wpe.adds) std::fill_n(wpe.values + length_ * width, (shape_.context - length_) * width, T{});
}

template class Model<float>;
template class Model<zero::bfloat16>;
template class Model<zero::float16>;

}  // namespace gpt2
