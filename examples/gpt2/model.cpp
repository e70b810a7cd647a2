// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "model.hpp"

#include <algorithm>
#include <stdexcept>

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

// For the epilogue of a product.
auto adds_bias(OutputMatrix c, float const* bias) {
  return [=](Tile const& t) { kernels().add_bias(t.rows, t.columns, t.of(c), bias + t.column); };
}

}  // namespace

template <class T>
Model<T>::Model(ModelShape const& shape, std::size_t sequences, zero::ThreadPool& pool,
                ActivationSettings const& activations)
    : shape_(shape),
      pool_(pool),
      multiply_(pool),
      scratch_(pool, largest_layer<T>(shape)),
      capacity_(sequences * shape.context),
      plan_(shape.layers, activations.recompute, activations.kept_inputs) {
  std::size_t const tokens = capacity_, width = shape.width;
  BlockActivations const block(shape);
  BlockSets const sets(plan_);
  auto const rows_of = [&](std::size_t elements) { return Buffer(tokens * elements); };
  blocks_.reserve(sets.rest);
  for (std::size_t i = 0; i < sets.rest; ++i) {
    blocks_.push_back({rows_of(block.normalized), rows_of(block.inverse_deviation), rows_of(block.normalized),
                       rows_of(block.inverse_deviation), rows_of(block.hidden)});
  }
  attended_.reserve(sets.attention);
  for (std::size_t i = 0; i < sets.attention; ++i) {
    attended_.push_back({rows_of(block.qkv), rows_of(block.log_sum), rows_of(block.attended)});
  }
  inputs_.reserve(sets.inputs);
  for (std::size_t i = 0; i < sets.inputs; ++i) inputs_.push_back(rows_of(block.input));
  head_normalized_ = Buffer(tokens * width), head_inverse_deviation_ = Buffer(tokens);
  logits_ = Buffer(tokens * shape.vocabulary);
  residual_ = Buffer(tokens * width), dresidual_ = Buffer(tokens * width), narrow_ = Buffer(tokens * width);
  wide_ = Buffer(tokens * 4 * width), activated_ = Buffer(tokens * 4 * width);
  losses_ = Buffer(tokens), norm_scratch_ = Buffer(layer_norm_scratch(tokens, width));
  if (activations.dropout) dropped_ = Buffer(tokens * width);
  order_.reserve(tokens);
}

template <class T>
std::size_t Model<T>::activation_bytes() const noexcept {
  std::size_t bytes = head_normalized_.bytes() + head_inverse_deviation_.bytes() + logits_.bytes();
  for (auto const& b : blocks_) {
    for (auto const* buffer :
         {&b.normalized_1, &b.inverse_deviation_1, &b.normalized_2, &b.inverse_deviation_2, &b.hidden}) {
      bytes += buffer->bytes();
    }
  }
  for (auto const& a : attended_) bytes += a.qkv.bytes() + a.log_sum.bytes() + a.attended.bytes();
  for (auto const& input : inputs_) bytes += input.bytes();
  return bytes;
}

template <class T>
std::size_t Model<T>::scratch_bytes() const noexcept {
  std::size_t bytes = 0;
  for (auto const* buffer :
       {&residual_, &dresidual_, &narrow_, &wide_, &activated_, &losses_, &norm_scratch_, &dropped_}) {
    bytes += buffer->bytes();
  }
  return bytes + multiply_.bytes() + scratch_.bytes() + order_.bytes();
}

template <class T>
typename Model<T>::WideWeights Model<T>::widen_block(BlockWeights<T> const& weights) {
  WideWeights wide{};
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
Attention Model<T>::attention(std::size_t layer) const {
  auto const& kept = attended(layer);
  return {
      sequences_, length_, shape_.heads, shape_.width, kept.qkv.get(), kept.log_sum.get(), dropout_.attention(layer)};
}

template <class T>
void Model<T>::set_dropout(Dropout const& dropout) {
  if (dropout.drops() && dropped_.size() == 0) {
    throw std::logic_error("gpt2::Model: set ActivationSettings::dropout to make a model that drops");
  }
  dropout_ = dropout;
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
  if (auto const mask = dropout_.embedding(); mask.drops()) drop(pool_, mask, tokens.size() * width, residual_.get());
}

// From the first LayerNorm's output in narrow_.
template <class T>
void Model<T>::qkv_and_attention(std::size_t layer, WideWeights const& w) {
  auto const& kept = attended(layer);
  std::size_t const n = rows(), width = shape_.width;
  OutputMatrix const qkv{kept.qkv.get(), 3 * width};
  multiply_({n, 3 * width, width}, 1.0F, {narrow_.get(), width}, {w[attention_weight], 3 * width}, qkv,
            adds_bias(qkv, w[attention_bias]));
  attention_forward(pool_, attention(layer), kept.attended.get());
}

// residual_ += the rows of \p input times \p weight, plus \p bias, less what \p mask drops of it. narrow_ is free.
template <class T>
void Model<T>::add_output(ProductShape const& shape, float const* input, float const* weight, float const* bias,
                          DropoutMask const& mask) {
  std::size_t const width = shape_.width;
  OutputMatrix const out{mask.drops() ? narrow_.get() : residual_.get(), width, !mask.drops()};
  multiply_(shape, 1.0F, {input, shape.depth}, {weight, width}, out, adds_bias(out, bias));
  if (mask.drops()) drop_into(pool_, mask, shape.rows * width, out.data, {residual_.get(), true});
}

template <class T>
void Model<T>::attention_part_forward(std::size_t layer, WideWeights const& w) {
  auto const& kept = block(layer);
  std::size_t const width = shape_.width;
  layer_norm_forward(pool_, norm(w[ln_1_weight], w[ln_1_bias], kept.normalized_1, kept.inverse_deviation_1),
                     residual_.get(), narrow_.get());
  qkv_and_attention(layer, w);
  add_output({rows(), width, width}, attended(layer).attended.get(), w[attention_projection_weight],
             w[attention_projection_bias], dropout_.attention_output(layer));
}

template <class T>
void Model<T>::mlp_part_forward(std::size_t layer, WideWeights const& w) {
  auto const& kept = block(layer);
  std::size_t const n = rows(), width = shape_.width;
  OutputMatrix const hidden{kept.hidden.get(), 4 * width}, activated{activated_.get(), 4 * width};
  layer_norm_forward(pool_, norm(w[ln_2_weight], w[ln_2_bias], kept.normalized_2, kept.inverse_deviation_2),
                     residual_.get(), narrow_.get());
  multiply_({n, 4 * width, width}, 1.0F, {narrow_.get(), width}, {w[mlp_weight], 4 * width}, hidden,
            [&](Tile const& t) {
              kernels().bias_gelu(t.rows, t.columns, t.of(hidden), w[mlp_bias] + t.column, t.of(activated));
            });
  add_output({n, width, 4 * width}, activated_.get(), w[mlp_projection_weight], w[mlp_projection_bias],
             dropout_.mlp_output(layer));
}

// mlp_part_forward without what the block's own backward pass does not read: the output, and GELU, which it takes once
// more itself.
template <class T>
void Model<T>::hidden_again(std::size_t layer, WideWeights const& w) {
  auto const& kept = block(layer);
  std::size_t const n = rows(), width = shape_.width;
  OutputMatrix const hidden{kept.hidden.get(), 4 * width};
  layer_norm_forward(pool_, norm(w[ln_2_weight], w[ln_2_bias], kept.normalized_2, kept.inverse_deviation_2),
                     residual_.get(), narrow_.get());
  multiply_({n, 4 * width, width}, 1.0F, {narrow_.get(), width}, {w[mlp_weight], 4 * width}, hidden,
            adds_bias(hidden, w[mlp_bias]));
}

template <class T>
void Model<T>::copy_rows(float* to, float const* from) {
  for_parts(pool_, rows() * shape_.width, cast_part,
            [=](std::size_t first, std::size_t count) { std::copy_n(from + first, count, to + first); });
}

// The residual stream as it came into \p layer: after a block that was computed again it is there.
template <class T>
void Model<T>::take_input_again(std::size_t layer) {
  if (plan_.keeps_input(layer)) copy_rows(residual_.get(), inputs_[plan_.segment(layer)].get());
}

template <class T>
void Model<T>::block_forward(std::size_t layer, BlockWeights<T> const& weights) {
  auto const w = widen_block(weights);
  if (plan_.keeps_input(layer)) copy_rows(inputs_[plan_.segment(layer)].get(), residual_.get());
  attention_part_forward(layer, w);
  mlp_part_forward(layer, w);
}

template <class T>
void Model<T>::block_again(std::size_t layer, BlockWeights<T> const& weights) {
  auto const w = widen_block(weights);
  take_input_again(layer);
  attention_part_forward(layer, w);
  mlp_part_forward(layer, w);
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

// The gradient of what was added to the residual stream after \p mask.
template <class T>
float const* Model<T>::dropped_gradient(DropoutMask const& mask) {
  if (!mask.drops()) return dresidual_.get();
  drop_into(pool_, mask, rows() * shape_.width, dresidual_.get(), {dropped_.get(), false});
  return dropped_.get();
}

template <class T>
void Model<T>::mlp_part_backward(std::size_t layer, WideWeights const& w, Gradient<float> const* g) {
  auto const& kept = block(layer);
  std::size_t const n = rows(), width = shape_.width;
  auto const second_norm = norm(w[ln_2_weight], w[ln_2_bias], kept.normalized_2, kept.inverse_deviation_2);
  ConstMatrix const hidden{kept.hidden.get(), 4 * width};
  OutputMatrix const dhidden{wide_.get(), 4 * width}, activated{activated_.get(), 4 * width};
  float const* const doutput = dropped_gradient(dropout_.mlp_output(layer));
  multiply_(
      {n, 4 * width, width}, 1.0F, {doutput, width}, {w[mlp_projection_weight], width, true}, dhidden,
      [&](Tile const& t) { kernels().gelu_backward(t.rows, t.columns, t.of(hidden), t.of(dhidden), t.of(activated)); });
  weight_gradient(4 * width, width, activated_.get(), doutput, g[mlp_projection_weight], g[mlp_projection_bias]);
  layer_norm_again(pool_, second_norm, narrow_.get());
  weight_gradient(width, 4 * width, narrow_.get(), wide_.get(), g[mlp_weight], g[mlp_bias]);
  multiply_({n, width, 4 * width}, {wide_.get(), 4 * width}, {w[mlp_weight], 4 * width, true}, {narrow_.get(), width});
  layer_norm_backward(pool_, second_norm, narrow_.get(), {dresidual_.get(), true}, g[ln_2_weight], g[ln_2_bias],
                      norm_scratch_.get());
}

template <class T>
void Model<T>::attention_part_backward(std::size_t layer, WideWeights const& w, Gradient<float> const* g) {
  auto const& kept = block(layer);
  auto const& attended = this->attended(layer);
  std::size_t const n = rows(), width = shape_.width;
  auto const first_norm = norm(w[ln_1_weight], w[ln_1_bias], kept.normalized_1, kept.inverse_deviation_1);
  // The last block's are there: no other block has been computed since.
  if (plan_.recompute() == Recompute::selective && layer + 1 != shape_.layers) {
    layer_norm_again(pool_, first_norm, narrow_.get());
    qkv_and_attention(layer, w);
  }
  float const* const doutput = dropped_gradient(dropout_.attention_output(layer));
  multiply_({n, width, width}, {doutput, width}, {w[attention_projection_weight], width, true}, {narrow_.get(), width});
  weight_gradient(width, width, attended.attended.get(), doutput, g[attention_projection_weight],
                  g[attention_projection_bias]);
  attention_backward(pool_, attention(layer), attended.attended.get(), narrow_.get(), wide_.get());
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
  if (plan_.last_work(layer) == zero::activation::BackwardWork::again_and_backward) {
    take_input_again(layer);
    attention_part_forward(layer, w);
    hidden_again(layer, w);
  }
  std::array<Gradient<float>, block_parameter_count> g{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < g.size(); at += block_size(i++, shape_.width)) {
    g[i] = scratch_.begin_gradient(gradients[i], at);
  }
  mlp_part_backward(layer, w, g.data());
  attention_part_backward(layer, w, g.data());
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
  if (auto const mask = dropout_.embedding(); mask.drops()) drop(pool_, mask, tokens.size() * width, dresidual_.get());
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
