// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "decoder.hpp"

#include "../kernels.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace gpt2 {

Decoder::Decoder(DecoderWeights const& weights, std::size_t sequences, std::size_t capacity, zero::ThreadPool& pool)
    : weights_(weights),
      pool_(pool),
      cache_(weights.shape(), sequences, capacity),
      width_(padded(weights.shape().width, input_unit)),
      wide_width_(padded(4 * weights.shape().width, input_unit)),
      head_width_(weights.shape().heads * cache_.head_size()) {
  if (sequences == 0 || capacity == 0 || capacity > weights.shape().context) {
    throw std::invalid_argument("gpt2::Decoder: there must be sequences, of 1 to the context's tokens");
  }
  std::size_t const rows = most_tokens, width = weights.shape().width;
  places_.reserve(rows);
  residual_ = Buffer(rows * width_), normalized_ = Buffer(rows * width_), attended_ = Buffer(rows * width_);
  qkv_ = Buffer(rows * padded(3 * width, output_unit)), projected_ = Buffer(rows * padded(width, output_unit));
  hidden_ = Buffer(rows * padded(4 * width, output_unit)), activated_ = Buffer(rows * wide_width_);
  queries_ = Buffer(rows * head_width_), attended_heads_ = Buffer(rows * head_width_);
  norm_scratch_ = Buffer(rows * width), deviations_ = Buffer(rows);
  quantized_.reserve(rows, wide_width_);
}

std::size_t Decoder::bytes() const noexcept {
  std::size_t bytes = cache_.bytes() + quantized_.bytes();
  for (auto const* buffer : {&residual_, &normalized_, &qkv_, &queries_, &attended_heads_, &attended_, &projected_,
                             &hidden_, &activated_, &norm_scratch_, &deviations_, &last_rows_, &logits_}) {
    bytes += buffer->bytes();
  }
  return bytes;
}

void Decoder::append(std::span<NextToken const> tokens) {
  place(tokens);
  if (tokens.empty()) return;
  embed(tokens);
  for (std::size_t layer = 0; layer < shape().layers; ++layer) block_forward(layer);
  for (auto const& place : places_) cache_.set_length(place.sequence, place.position + 1);
  head_forward(tokens);
}

std::span<float const> Decoder::logits(std::size_t i) const {
  return {logits_.get() + i * weights_.wte.padded_outputs(), shape().vocabulary};
}

void Decoder::place(std::span<NextToken const> tokens) {
  if (tokens.size() > most_tokens) throw std::invalid_argument("gpt2::Decoder: more tokens than a call takes");
  places_.clear();
  for (auto const& next : tokens) {
    if (next.sequence >= sequences()) throw std::invalid_argument("gpt2::Decoder: there is no such sequence");
    if (next.token >= shape().vocabulary) {
      throw std::invalid_argument("gpt2::Decoder: a token is not below the vocabulary");
    }
    std::size_t position = cache_.length(next.sequence);
    for (auto const& earlier : places_) position += earlier.sequence == next.sequence ? 1U : 0U;
    if (position >= capacity()) throw std::invalid_argument("gpt2::Decoder: a sequence is longer than its cache");
    places_.push_back({next.sequence, position});
  }
}

void Decoder::embed(std::span<NextToken const> tokens) {
  std::size_t const width = shape().width;
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    float* const x = residual_.get() + r * width_;
    weights_.wte.read(tokens[r].token, x);
    float const* const position = weights_.wpe.data() + places_[r].position * width;
    for (std::size_t i = 0; i < width; ++i) x[i] += position[i];
  }
}

// normalized = LayerNorm of rows of x.
void Decoder::normalize(std::vector<float> const& weight, std::vector<float> const& bias, std::size_t rows,
                        float const* x) {
  std::size_t const width = shape().width;
  pool_.parallel_for(rows, [&](std::size_t r) {
    kernels().layer_norm(1, width, x + r * width_, weight.data(), bias.data(), norm_scratch_.get() + r * width,
                         deviations_.get() + r, normalized_.get() + r * width_);
  });
}

template <class Epilogue>
void Decoder::multiply(WeightMatrix const& matrix, std::size_t rows, Buffer const& x, Buffer const& out,
                       Epilogue&& epilogue) {
  matrix.multiply(pool_, rows, x.get(), out.get(), quantized_, epilogue);
}

// residual += x times the matrix, + bias.
void Decoder::add_to_residual(WeightMatrix const& matrix, Buffer const& x, std::vector<float> const& bias) {
  std::size_t const rows = places_.size();
  multiply(matrix, rows, x, projected_, [&](std::size_t first, std::size_t count) {
    for (std::size_t r = 0; r < rows; ++r) {
      float const* const from = projected_.get() + r * matrix.padded_outputs() + first;
      float* const to = residual_.get() + r * width_ + first;
      for (std::size_t i = 0; i < count; ++i) to[i] += from[i] + bias[first + i];
    }
  });
}

void Decoder::block_forward(std::size_t layer) {
  auto const& block = weights_.blocks[layer];
  std::size_t const rows = places_.size();
  normalize(block.ln_1_weight, block.ln_1_bias, rows, residual_.get());
  std::size_t const qkv_width = block.attention.padded_outputs(), hidden_width = block.mlp.padded_outputs();
  multiply(block.attention, rows, normalized_, qkv_, [&](std::size_t first, std::size_t count) {
    kernels().add_bias(rows, count, {qkv_.get() + first, qkv_width}, block.attention_bias.data() + first);
  });
  for (std::size_t r = 0; r < rows; ++r) keep(layer, r);
  attend(layer);
  add_to_residual(block.attention_projection, attended_, block.attention_projection_bias);
  normalize(block.ln_2_weight, block.ln_2_bias, rows, residual_.get());
  multiply(block.mlp, rows, normalized_, hidden_, [&](std::size_t first, std::size_t count) {
    kernels().bias_gelu(rows, count, {hidden_.get() + first, hidden_width}, block.mlp_bias.data() + first,
                        {activated_.get() + first, wide_width_});
  });
  add_to_residual(block.mlp_projection, activated_, block.mlp_projection_bias);
}

// Takes a row's keys and values to their places in the cache, and its queries to where heads are padded.
void Decoder::keep(std::size_t layer, std::size_t row) {
  std::size_t const width = shape().width, heads = shape().heads, size = shape().head_size(),
                    to_size = cache_.head_size();
  auto const [sequence, position] = places_[row];
  float const* const from = qkv_.get() + row * padded(3 * width, output_unit);
  for (std::size_t head = 0; head < heads; ++head) {
    std::copy_n(from + head * size, size, queries_.get() + row * head_width_ + head * to_size);
    std::copy_n(from + width + head * size, size, cache_.keys(sequence, layer, head) + position * to_size);
    std::copy_n(from + 2 * width + head * size, size, cache_.values(sequence, layer, head) + position * to_size);
  }
}

void Decoder::attend(std::size_t layer) {
  std::size_t const heads = shape().heads, size = shape().head_size(), from_size = cache_.head_size();
  auto const scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(size)));
  pool_.parallel_for(places_.size() * heads, [&](std::size_t task) {
    std::size_t const row = task / heads, head = task % heads;
    auto const [sequence, position] = places_[row];
    std::size_t const at = row * head_width_ + head * from_size;
    decoding_kernels().attend({position + 1, from_size, queries_.get() + at, cache_.keys(sequence, layer, head),
                               cache_.values(sequence, layer, head), scale, attended_heads_.get() + at});
    std::copy_n(attended_heads_.get() + at, size, attended_.get() + row * width_ + head * size);
  });
}

void Decoder::head_forward(std::span<NextToken const> tokens) {
  auto const wanted = static_cast<std::size_t>(
      std::count_if(tokens.begin(), tokens.end(), [](NextToken const& next) { return next.wants_logits; }));
  if (wanted == 0) return;
  std::size_t const stride = weights_.wte.padded_outputs();
  if (last_rows_.size() < wanted * width_) last_rows_ = Buffer(wanted * width_);
  if (logits_.size() < wanted * stride) logits_ = Buffer(wanted * stride);
  std::size_t rows = 0;
  for (std::size_t r = 0; r < tokens.size(); ++r) {
    if (!tokens[r].wants_logits) continue;
    std::copy_n(residual_.get() + r * width_, width_, last_rows_.get() + rows++ * width_);
  }
  normalize(weights_.ln_f_weight, weights_.ln_f_bias, rows, last_rows_.get());
  multiply(weights_.wte, rows, normalized_, logits_, [](std::size_t, std::size_t) {});
}

}  // namespace gpt2
