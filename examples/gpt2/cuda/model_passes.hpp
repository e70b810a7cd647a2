// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The passes of model.hpp, which includes this.
#include "model.hpp"

namespace gpt2::device {

// ------------------------------------------------------------------------------------------------- parts

template <class T, class Device>
T* DeviceModel<T, Device>::dlogits() const noexcept {
  if constexpr (is_wide)
    return head_.logits.data();
  else
    return head_.dlogits.data();
}

template <class T, class Device>
typename DeviceModel<T, Device>::OutputGradient DeviceModel<T, Device>::output_gradient(DropoutMask const& mask) {
  if (mask.drops()) {
    device_.run(
        DropGradient<T>{dresidual_.data(), width32(), mask, dropped_.data(), is_wide ? nullptr : narrow_.data()},
        rows());
  }
  float const* const wide = mask.drops() ? dropped_.data() : dresidual_.data();
  if constexpr (is_wide)
    return {wide, wide};
  else
    return {wide, mask.drops() ? narrow_.data() : dnarrow_.data()};
}

template <class T, class Device>
Norm<T> DeviceModel<T, Device>::norm(T const* weight, T const* bias, Memory<float> const& normalized,
                                     Memory<float> const& inverse_deviation) const {
  return {weight, bias, normalized.data(), inverse_deviation.data(), width32()};
}

template <class T, class Device>
Norm<T> DeviceModel<T, Device>::head_norm(HeadWeights<T> const& weights) const {
  return norm(weights.ln_f_weight, weights.ln_f_bias, head_.normalized, head_.inverse_deviation);
}

template <class T, class Device>
HeadLayout DeviceModel<T, Device>::heads(std::uint32_t parts) const {
  return {static_cast<std::uint32_t>(sequences_), static_cast<std::uint32_t>(length_),
          static_cast<std::uint32_t>(shape_.heads), static_cast<std::uint32_t>(shape_.head_size()), parts};
}

template <class T, class Device>
Logits DeviceModel<T, Device>::kept_logits() const {
  return {static_cast<std::uint32_t>(shape_.vocabulary),
          static_cast<std::uint32_t>(logits_stride()),
          targets_.data(),
          head_.maximum.data(),
          head_.inverse.data(),
          head_.losses.data()};
}

template <class T, class Device>
template <class In, class Out>
void DeviceModel<T, Device>::multiply(std::size_t m, std::size_t n, std::size_t k, Factor<In> a, Factor<In> b,
                                      Result<Out> c) {
  device_.multiply(Product<In, Out>{m, n, k, 1.0F, a, b, c});
}

// residual_ += the rows of `input` [rows, inputs] times weight, plus bias, less what `mask` drops of it. wide_ is free.
template <class T, class Device>
void DeviceModel<T, Device>::add_output(std::size_t inputs, T const* input, T const* weight, T const* bias,
                                        DropoutMask const& mask) {
  std::size_t const width = shape_.width;
  float* const to = mask.drops() ? wide_.data() : residual_.data();
  multiply<T, float>(rows(), width, inputs, {input, inputs}, {weight, width}, {to, width, !mask.drops()});
  if (mask.drops()) {
    device_.run(AddDropped<T>{to, bias, width32(), mask, residual_.data()}, rows());
  } else {
    device_.run(AddBias<T>{bias, width32(), residual_.data()}, rows());
  }
}

template <class T, class Device>
void DeviceModel<T, Device>::norm_backward(Norm<T> const& norm, float const* dy, bool adds, Gradient<T> dweight,
                                           Gradient<T> dbias) {
  std::uint32_t const width = width32();
  device_.run(NormBackward<T>{norm, dy, dresidual_.data(), dnarrow_.data(), adds}, rows());
  NormSums const sums{dy, norm.normalized, rows32(), width, partial_.data()};
  device_.run(sums, sums.tasks());
  std::size_t const groups = parts_of(rows(), rows_per_sum), stride = 2 * shape_.width;
  AddGroups<T> const weight{partial_.data(), groups, stride, width, dweight.values, dweight.adds};
  AddGroups<T> const bias{partial_.data() + width, groups, stride, width, dbias.values, dbias.adds};
  device_.run(weight, weight.tasks());
  device_.run(bias, bias.tasks());
}

// dweight [inputs, outputs] (+)= input^T doutput, dbias [outputs] (+)= the column sums of doutput, or of what it was
// rounded from.
template <class T, class Device>
template <class V>
void DeviceModel<T, Device>::linear_gradients(std::size_t inputs, std::size_t outputs, T const* input, T const* doutput,
                                              V const* bias_source, Gradient<T> dweight, Gradient<T> dbias) {
  multiply<T, T>(inputs, outputs, rows(), {input, inputs, true}, {doutput, outputs},
                 {dweight.values, outputs, dweight.adds});
  auto const columns = static_cast<std::uint32_t>(outputs);
  ColumnSums<V> const sums{bias_source, rows32(), columns, partial_.data()};
  device_.run(sums, sums.tasks());
  AddGroups<T> const bias{partial_.data(), parts_of(rows(), rows_per_sum), outputs, columns, dbias.values, dbias.adds};
  device_.run(bias, bias.tasks());
}

// ------------------------------------------------------------------------------------------------- attention

// Calls f(first, count) for as many heads of sequences at a time as scores_ holds.
template <class T, class Device>
template <class F>
void DeviceModel<T, Device>::for_matrices(F&& f) const {
  std::size_t const all = sequences_ * shape_.heads, most = scores_.size() / (length_ * length_);
  for (std::size_t first = 0; first < all; first += most) f(first, std::min(most, all - first));
}

// Products of `count` matrices that lie one after the other.
template <class T, class Device>
template <class Out>
void DeviceModel<T, Device>::multiply_each(std::size_t count, std::size_t m, std::size_t n, std::size_t k, float alpha,
                                           Factor<T> a, Factor<T> b, Out* c) {
  a.step = (a.transposed ? k : m) * a.stride;
  b.step = (b.transposed ? n : k) * b.stride;
  device_.multiply(Product<T, Out>{m, n, k, alpha, a, b, {c, n, false, m * n}, count});
}

template <class T, class Device>
void DeviceModel<T, Device>::scores(T const* q, T const* k, std::size_t count) {
  std::size_t const length = length_, size = shape_.head_size();
  multiply_each(count, length, length, size, attention_scale_, {q, size}, {k, size, true}, scores_.data());
}

template <class T, class Device>
void DeviceModel<T, Device>::probabilities(std::size_t count, ProbabilityMask const& mask) {
  device_.run(CausalSoftmax<T>{scores_.data(), static_cast<std::uint32_t>(length_), probabilities_.data(), mask},
              count * length_);
}

template <class T, class Device>
void DeviceModel<T, Device>::attention_forward(std::size_t layer) {
  auto const& block = attended(layer);
  auto const mask = dropout_.attention(layer);
  std::size_t const length = length_, size = shape_.head_size(), part = rows() * shape_.width;
  for_matrices([&](std::size_t first, std::size_t count) {
    T const* const q = block.qkv.data() + first * length * size;
    scores(q, q + part, count);
    probabilities(count, {mask, first * length});
    multiply_each(count, length, size, length, 1.0F, {probabilities_.data(), length}, {q + 2 * part, size},
                  merged_.data() + first * length * size);
  });
  device_.run(MergeHeads<T>{heads(1), merged_.data(), block.attended.data()}, rows());
}

// From the gradient of the attended values in merged_ to that of queries, keys and values in dheads_.
template <class T, class Device>
void DeviceModel<T, Device>::attention_backward(std::size_t layer) {
  auto const& block = attended(layer);
  auto const mask = dropout_.attention(layer);
  std::size_t const length = length_, size = shape_.head_size(), part = rows() * shape_.width;
  float const scale = attention_scale_;
  T* const p = probabilities_.data();
  for_matrices([&](std::size_t first, std::size_t count) {
    std::size_t const at = first * length * size;
    T const *const q = block.qkv.data() + at, *const k = q + part, *const v = k + part;
    T const* const dout = merged_.data() + at;
    T *const dq = dheads_.data() + at, *const dk = dq + part, *const dv = dk + part;
    ProbabilityMask const part_mask{mask, first * length};
    scores(q, k, count);
    probabilities(count, part_mask);
    multiply_each(count, length, size, length, 1.0F, {p, length, true}, {dout, size}, dv);
    if (mask.drops()) probabilities(count, {});  // the slope of the softmax is that of all of them
    multiply_each(count, length, length, size, 1.0F, {dout, size}, {v, size, true}, scores_.data());
    device_.run(CausalSoftmaxBackward<T>{scores_.data(), static_cast<std::uint32_t>(length), p, part_mask},
                count * length);
    multiply_each(count, length, size, length, scale, {p, length}, {k, size}, dq);
    multiply_each(count, length, size, length, scale, {p, length, true}, {q, size}, dk);
  });
}

// ------------------------------------------------------------------------------------------------- forward

template <class T, class Device>
void DeviceModel<T, Device>::set_dropout(Dropout const& dropout) {
  if (dropout.drops() && dropped_.size() == 0) {
    throw std::logic_error("gpt2::DeviceModel: set ActivationSettings::dropout to make a model that drops");
  }
  if (dropout.drops() && recording_) {
    throw std::logic_error("gpt2::DeviceModel: a recorded step would drop the same elements at each replay");
  }
  dropout_ = dropout;
}

template <class T, class Device>
void DeviceModel<T, Device>::embed_forward(std::span<Token const> tokens, std::size_t length, T const* wte,
                                           T const* wpe) {
  require_rows(shape_, capacity_, tokens.size(), length);
  require_below_vocabulary(shape_, tokens);
  sequences_ = tokens.size() / length, length_ = length;
  begin_micro_batch(tokens.size());
  upload(inputs_[input_].tokens, tokens_.data(), tokens);
  device_.run(Embed<T>{wte, wpe, tokens_.data(), width32(), static_cast<std::uint32_t>(length), residual_.data(),
                       dropout_.embedding()},
              rows());
}

// From the first LayerNorm's output in narrow_.
template <class T, class Device>
void DeviceModel<T, Device>::qkv_and_attention(std::size_t layer, BlockWeights<T> const& w) {
  std::size_t const width = shape_.width;
  multiply<T, float>(rows(), 3 * width, width, {narrow_.data(), width}, {w[attention_weight], 3 * width},
                     {wide_.data(), 3 * width});
  device_.run(SplitHeads<T>{heads(3), wide_.data(), w[attention_bias], attended(layer).qkv.data()}, rows());
  attention_forward(layer);
}

template <class T, class Device>
void DeviceModel<T, Device>::attention_part_forward(std::size_t layer, BlockWeights<T> const& w) {
  auto const& kept = block(layer);
  auto const norm_1 = norm(w[ln_1_weight], w[ln_1_bias], kept.normalized_1, kept.inverse_deviation_1);
  device_.run(NormForward<T>{norm_1, residual_.data(), narrow_.data()}, rows());
  qkv_and_attention(layer, w);
  add_output(shape_.width, attended(layer).attended.data(), w[attention_projection_weight],
             w[attention_projection_bias], dropout_.attention_output(layer));
}

// The MLP up to its hidden values, and to GELU of them where `activated` is not null.
template <class T, class Device>
void DeviceModel<T, Device>::hidden_forward(std::size_t layer, BlockWeights<T> const& w, T* activated) {
  auto const& kept = block(layer);
  std::size_t const n = rows(), width = shape_.width;
  auto const norm_2 = norm(w[ln_2_weight], w[ln_2_bias], kept.normalized_2, kept.inverse_deviation_2);
  device_.run(NormForward<T>{norm_2, residual_.data(), narrow_.data()}, n);
  multiply<T, float>(n, 4 * width, width, {narrow_.data(), width}, {w[mlp_weight], 4 * width},
                     {wide_.data(), 4 * width});
  device_.run(BiasGelu<T>{wide_.data(), w[mlp_bias], 4 * width32(), kept.hidden.data(), activated}, n);
}

template <class T, class Device>
void DeviceModel<T, Device>::mlp_part_forward(std::size_t layer, BlockWeights<T> const& w) {
  hidden_forward(layer, w, activated_.data());
  add_output(4 * shape_.width, activated_.data(), w[mlp_projection_weight], w[mlp_projection_bias],
             dropout_.mlp_output(layer));
}

template <class T, class Device>
void DeviceModel<T, Device>::keep_input(std::size_t layer) {
  if (!plan_.keeps_input(layer)) return;
  std::size_t const input = plan_.segment(layer), bytes = rows() * shape_.width * sizeof(float);
  if (host_inputs_) return host_inputs_->keep(input, residual_.data(), bytes, device_.stream());
  device_.copy(kept_inputs_[input].data(), residual_.data(), bytes);
}

// The residual stream as it came into `layer`: after a block that was computed again it is there.
template <class T, class Device>
void DeviceModel<T, Device>::take_input_again(std::size_t layer) {
  if (!plan_.keeps_input(layer)) return;
  std::size_t const input = plan_.segment(layer);
  if (host_inputs_) return host_inputs_->take(input, residual_.data(), device_.stream());
  device_.copy(residual_.data(), kept_inputs_[input].data(), rows() * shape_.width * sizeof(float));
}

template <class T, class Device>
void DeviceModel<T, Device>::block_forward(std::size_t layer, BlockWeights<T> const& weights) {
  keep_input(layer);
  attention_part_forward(layer, weights);
  mlp_part_forward(layer, weights);
}

template <class T, class Device>
void DeviceModel<T, Device>::block_again(std::size_t layer, BlockWeights<T> const& weights) {
  take_input_again(layer);
  attention_part_forward(layer, weights);
  mlp_part_forward(layer, weights);
}

template <class T, class Device>
void DeviceModel<T, Device>::head_forward(HeadWeights<T> const& weights, std::span<Token const> targets) {
  require_targets(shape_, rows(), targets);
  std::size_t const width = shape_.width;
  upload(inputs_[input_].targets, targets_.data(), targets);
  device_.run(NormForward<T>{head_norm(weights), residual_.data(), narrow_.data()}, rows());
  multiply<T, float>(rows(), shape_.vocabulary, width, {narrow_.data(), width}, {weights.wte, width, true},
                     {head_.logits.data(), logits_stride()});
  device_.run(CrossEntropy{kept_logits(), head_.logits.data()}, rows());
  if (pending_losses_ == mean_losses_.size()) collect_losses();
  device_.run(MeanLoss{head_.losses.data(), rows32(), mean_losses_.data() + pending_losses_++}, 1);
}

template <class T, class Device>
std::span<float const> DeviceModel<T, Device>::last_logits(HeadWeights<T> const& weights) {
  std::size_t const width = shape_.width, vocabulary = shape_.vocabulary;
  device_.run(NormForward<T>{head_norm(weights), residual_.data() + (rows() - 1) * width, narrow_.data()}, 1);
  multiply<T, float>(1, vocabulary, width, {narrow_.data(), width}, {weights.wte, width, true},
                     {head_.logits.data(), logits_stride()});
  device_.copy(last_row_.data(), head_.logits.data(), vocabulary * sizeof(float));
  device_.synchronize();
  return {last_row_.data(), vocabulary};
}

// ------------------------------------------------------------------------------------------------- backward

template <class T, class Device>
void DeviceModel<T, Device>::head_backward(float const* loss_scale, HeadWeights<T> const& weights,
                                           HeadGradients<T> const& gradients) {
  std::size_t const n = rows(), width = shape_.width, vocabulary = shape_.vocabulary, stride = logits_stride();
  auto const last_norm = head_norm(weights);
  device_.run(NormAgain<T>{last_norm, narrow_.data()}, n);
  device_.run(CrossEntropyBackward<T>{kept_logits(), head_.logits.data(), loss_scale, rows32(), dlogits()}, n);
  multiply<T, float>(n, width, vocabulary, {dlogits(), stride}, {weights.wte, width}, {wide_.data(), width});
  multiply<T, T>(vocabulary, width, n, {dlogits(), stride, true}, {narrow_.data(), width},
                 {gradients.wte.values, width, gradients.wte.adds});
  norm_backward(last_norm, wide_.data(), false, gradients.ln_f_weight, gradients.ln_f_bias);
}

template <class T, class Device>
void DeviceModel<T, Device>::mlp_part_backward(std::size_t layer, BlockWeights<T> const& w,
                                               BlockGradients<T> const& g) {
  auto const& kept = block(layer);
  std::size_t const n = rows(), width = shape_.width;
  auto const norm_2 = norm(w[ln_2_weight], w[ln_2_bias], kept.normalized_2, kept.inverse_deviation_2);
  auto const doutput = output_gradient(dropout_.mlp_output(layer));
  multiply<T, float>(n, 4 * width, width, {doutput.narrow, width}, {w[mlp_projection_weight], width, true},
                     {wide_.data(), 4 * width});
  device_.run(GeluBackward<T>{kept.hidden.data(), wide_.data(), 4 * width32(), dwide_.data(), activated_.data()}, n);
  linear_gradients(4 * width, width, activated_.data(), doutput.narrow, doutput.wide, g[mlp_projection_weight],
                   g[mlp_projection_bias]);
  device_.run(NormAgain<T>{norm_2, narrow_.data()}, n);
  linear_gradients(width, 4 * width, narrow_.data(), dwide_.data(), dwide_.data(), g[mlp_weight], g[mlp_bias]);
  multiply<T, float>(n, width, 4 * width, {dwide_.data(), 4 * width}, {w[mlp_weight], 4 * width, true},
                     {wide_.data(), width});
  norm_backward(norm_2, wide_.data(), true, g[ln_2_weight], g[ln_2_bias]);
}

template <class T, class Device>
void DeviceModel<T, Device>::attention_part_backward(std::size_t layer, BlockWeights<T> const& w,
                                                     BlockGradients<T> const& g) {
  auto const& kept = block(layer);
  std::size_t const n = rows(), width = shape_.width;
  auto const norm_1 = norm(w[ln_1_weight], w[ln_1_bias], kept.normalized_1, kept.inverse_deviation_1);
  // The last block's are there: no other block has been computed since.
  if (plan_.recompute() == Recompute::selective && layer + 1 != shape_.layers) {
    device_.run(NormAgain<T>{norm_1, narrow_.data()}, n);
    qkv_and_attention(layer, w);
  }
  auto const doutput = output_gradient(dropout_.attention_output(layer));
  multiply<T, float>(n, width, width, {doutput.narrow, width}, {w[attention_projection_weight], width, true},
                     {wide_.data(), width});
  linear_gradients(width, width, attended(layer).attended.data(), doutput.narrow, doutput.wide,
                   g[attention_projection_weight], g[attention_projection_bias]);
  device_.run(SplitHeads<T>{heads(1), wide_.data(), nullptr, merged_.data()}, n);
  attention_backward(layer);
  device_.run(MergeHeads<T>{heads(3), dheads_.data(), dwide_.data()}, n);
  device_.run(NormAgain<T>{norm_1, narrow_.data()}, n);
  linear_gradients(width, 3 * width, narrow_.data(), dwide_.data(), dwide_.data(), g[attention_weight],
                   g[attention_bias]);
  multiply<T, float>(n, width, 3 * width, {dwide_.data(), 3 * width}, {w[attention_weight], 3 * width, true},
                     {wide_.data(), width});
  norm_backward(norm_1, wide_.data(), true, g[ln_1_weight], g[ln_1_bias]);
}

template <class T, class Device>
void DeviceModel<T, Device>::block_backward(std::size_t layer, BlockWeights<T> const& weights,
                                            BlockGradients<T> const& gradients) {
  if (plan_.last_work(layer) == zero::activation::BackwardWork::again_and_backward) {
    take_input_again(layer);
    attention_part_forward(layer, weights);
    hidden_forward(layer, weights, nullptr);  // backward reads no output, and takes GELU once more itself
  }
  mlp_part_backward(layer, weights, gradients);
  attention_part_backward(layer, weights, gradients);
}

template <class T, class Device>
void DeviceModel<T, Device>::embed_backward(std::span<Token const> tokens, Gradient<T> wte, Gradient<T> wpe) {
  if (tokens.size() != rows() || (!recording_ && !inputs_[input_].tokens.begins_with(tokens))) {
    throw std::invalid_argument("gpt2::DeviceModel::embed_backward: these are not the tokens of embed_forward");
  }
  if (auto const mask = dropout_.embedding(); mask.drops()) {
    device_.run(DropGradient<T>{dresidual_.data(), width32(), mask, dresidual_.data(), nullptr}, rows());
  }
  if (!wte.adds) device_.zero(wte.values, shape_.vocabulary * shape_.width * sizeof(T));
  auto const groups = token_grouper_.group(tokens_.data(), rows());
  device_.run(AddTokens<T>{dresidual_.data(), groups, width32(), wte.values}, token_grouper_.most(rows()));
  device_.run(AddPositions<T>{dresidual_.data(), static_cast<std::uint32_t>(sequences_),
                              static_cast<std::uint32_t>(length_), width32(), wpe.values, wpe.adds},
              wpe.adds ? length_ : shape_.context);
}

}  // namespace gpt2::device
