// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "layers.hpp"

#include <algorithm>
#include <cmath>

namespace gpt2 {
namespace {

constexpr std::size_t row_group = 32;  // rows per task: some 100 KB of a layer
constexpr std::size_t tile_size = 64;  // queries or keys per tile of scores: 16 KB, a third of a first-level cache

std::size_t groups(std::size_t rows) { return (rows + row_group - 1) / row_group; }

// Calls f(first row, count) for every group of rows.
template <class F>
void for_row_groups(zero::ThreadPool& pool, std::size_t rows, F&& f) {
  pool.parallel_for(groups(rows), [&](std::size_t group) {
    std::size_t const first = group * row_group;
    f(first, std::min(row_group, rows - first));
  });
}

// sums += the partial sums of all groups of rows, in their order.
void add_groups(std::size_t count, std::size_t width, float const* partial, Gradient<float> sums) {
  kernels().column_sums(count, width, {partial, 2 * width}, sums.values, sums.adds);
}

}  // namespace

void layer_norm_forward(zero::ThreadPool& pool, LayerNorm const& norm, float const* x, float* out) {
  for_row_groups(pool, norm.rows, [&](std::size_t first, std::size_t count) {
    std::size_t const at = first * norm.width;
    kernels().layer_norm(count, norm.width, x + at, norm.weight, norm.bias, norm.normalized + at,
                         norm.inverse_deviation + first, out + at);
  });
}

void layer_norm_again(zero::ThreadPool& pool, LayerNorm const& norm, float* out) {
  for_row_groups(pool, norm.rows, [&](std::size_t first, std::size_t count) {
    std::size_t const at = first * norm.width;
    kernels().layer_norm_again(count, norm.width, norm.normalized + at, norm.weight, norm.bias, out + at);
  });
}

std::size_t layer_norm_scratch(std::size_t rows, std::size_t width) { return groups(rows) * 2 * width; }

void layer_norm_backward(zero::ThreadPool& pool, LayerNorm const& norm, float const* dy, Gradient<float> dx,
                         Gradient<float> dweight, Gradient<float> dbias, float* scratch) {
  std::size_t const width = norm.width;
  for_row_groups(pool, norm.rows, [&](std::size_t first, std::size_t count) {
    std::size_t const at = first * width;
    kernels().layer_norm_backward(count, width, dy + at, norm.weight, norm.normalized + at,
                                  norm.inverse_deviation + first, {dx.values + at, width, dx.adds},
                                  scratch + first / row_group * 2 * width);
  });
  add_groups(groups(norm.rows), width, scratch, dweight);
  add_groups(groups(norm.rows), width, scratch + width, dbias);
}

namespace {

// One head of one sequence: where its matrices begin in the buffers of the layer.
struct Head {
  Head(Attention const& a, std::size_t task)
      : size(a.width / a.heads),
        row(task / a.heads * a.length),
        column(task % a.heads * size),
        scale(static_cast<float>(1.0 / std::sqrt(static_cast<double>(size)))) {}

  std::size_t size, row, column;
  float scale;

  // Rows from \p first on of this head's part of a [tokens, stride] matrix; \p part is 0, 1, 2 for q, k, v.
  template <class Pointer>
  Pointer at(Pointer data, std::size_t stride, std::size_t first, std::size_t part = 0) const {
    return data + (row + first) * stride + part * (stride / 3) + column;
  }
};

// Drops visible scores [queries, keys] of a tile that begins at query i and key j of \p task.
void drop_scores(Attention const& a, std::size_t task, std::size_t i, std::size_t j, std::size_t queries,
                 std::size_t keys, float* scores) {
  for (std::size_t row = 0; row < queries; ++row) {
    std::size_t const first = (task * a.length + i + row) * a.length + j, visible = i + row - j + 1;
    for (std::size_t k = 0; k < std::min(keys, visible); ++k)
      scores[row * tile_size + k] *= a.dropout.factor(first + k);
  }
}

void attend(Attention const& a, std::size_t task, float* out) {
  auto const& run = kernels();
  Head const head(a, task);
  std::size_t const stride = 3 * a.width;
  alignas(64) float scores[tile_size * tile_size];
  float maxima[tile_size], denominators[tile_size];
  for (std::size_t i = 0; i < a.length; i += tile_size) {
    std::size_t const queries = std::min(tile_size, a.length - i);
    std::fill_n(maxima, tile_size, -1e30F), std::fill_n(denominators, tile_size, 0.0F);
    OutputMatrix result{head.at(out, a.width, i), a.width, false};
    for (std::size_t j = 0; j <= i; j += tile_size) {
      std::size_t const keys = std::min(tile_size, a.length - j);
      run.multiply(queries, keys, head.size, head.scale, {head.at(a.qkv, stride, i, 0), stride},
                   {head.at(a.qkv, stride, j, 1), stride, true}, {scores, tile_size});
      result.adds = j != 0;
      run.softmax_block(queries, keys, i - j + 1, {scores, tile_size}, maxima, denominators, head.size, result);
      if (a.dropout.drops()) drop_scores(a, task, i, j, queries, keys, scores);  // denominators have them already
      run.multiply(queries, head.size, keys, 1.0F, {scores, tile_size}, {head.at(a.qkv, stride, j, 2), stride}, result);
    }
    run.softmax_finish(queries, head.size, result, maxima, denominators, a.log_sum + task * a.length + i);
  }
}

void attend_backward(Attention const& a, std::size_t task, float const* out, float const* dout, float* dqkv) {
  auto const& run = kernels();
  Head const head(a, task);
  std::size_t const stride = 3 * a.width, size = head.size;
  alignas(64) float scores[tile_size * tile_size], dscores[tile_size * tile_size];
  float products[tile_size];
  for (std::size_t i = 0; i < a.length; i += tile_size) {
    std::size_t const queries = std::min(tile_size, a.length - i);
    ConstMatrix const q{head.at(a.qkv, stride, i, 0), stride}, dy{head.at(dout, a.width, i), a.width};
    // The sum over keys of probability times its gradient equals dot(dout, out), with dropout, too.
    run.row_products(queries, size, dy, {head.at(out, a.width, i), a.width}, products);
    for (std::size_t j = 0; j <= i; j += tile_size) {
      std::size_t const keys = std::min(tile_size, a.length - j);
      float const* const k = head.at(a.qkv, stride, j, 1);
      float const* const v = head.at(a.qkv, stride, j, 2);
      bool const later = i != j;  // a key's first query is its own
      run.multiply(queries, keys, size, head.scale, q, {k, stride, true}, {scores, tile_size});
      run.multiply(queries, keys, size, 1.0F, dy, {v, stride, true}, {dscores, tile_size});
      if (a.dropout.drops()) drop_scores(a, task, i, j, queries, keys, dscores);
      run.softmax_backward(queries, keys, i - j + 1, a.log_sum + task * a.length + i, products, {scores, tile_size},
                           {dscores, tile_size});
      if (a.dropout.drops()) drop_scores(a, task, i, j, queries, keys, scores);
      run.multiply(keys, size, queries, 1.0F, {scores, tile_size, true}, dy,
                   {head.at(dqkv, stride, j, 2), stride, later});
      run.multiply(keys, size, queries, head.scale, {dscores, tile_size, true}, q,
                   {head.at(dqkv, stride, j, 1), stride, later});
      run.multiply(queries, size, keys, head.scale, {dscores, tile_size}, {k, stride},
                   {head.at(dqkv, stride, i, 0), stride, j != 0});
    }
  }
}

}  // namespace

void attention_forward(zero::ThreadPool& pool, Attention const& attention, float* out) {
  pool.parallel_for(attention.sequences * attention.heads, [&](std::size_t task) { attend(attention, task, out); });
}

void attention_backward(zero::ThreadPool& pool, Attention const& attention, float const* out, float const* dout,
                        float* dqkv) {
  pool.parallel_for(attention.sequences * attention.heads,
                    [&](std::size_t task) { attend_backward(attention, task, out, dout, dqkv); });
}

void drop(zero::ThreadPool& pool, DropoutMask const& mask, std::size_t count, float* values) {
  drop_into(pool, mask, count, values, {values, false});
}

void drop_into(zero::ThreadPool& pool, DropoutMask const& mask, std::size_t count, float const* values,
               Gradient<float> out) {
  constexpr std::size_t part = 4096;  // elements per task: some 10 microseconds
  for_parts(pool, count, part, [&](std::size_t first, std::size_t size) {
    for (std::size_t i = first; i < first + size; ++i) {
      float const kept = values[i] * mask.factor(i);
      out.values[i] = out.adds ? out.values[i] + kept : kept;
    }
  });
}

float cross_entropy(zero::ThreadPool& pool, std::span<Token const> targets, std::size_t vocabulary, float* logits,
                    float* losses) {
  float const scale = 1.0F / static_cast<float>(targets.size());
  for_row_groups(pool, targets.size(), [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      losses[i] = kernels().cross_entropy(vocabulary, logits + i * vocabulary, targets[i], scale);
    }
  });
  double total = 0.0;
  for (std::size_t i = 0; i < targets.size(); ++i) total += static_cast<double>(losses[i]);
  return static_cast<float>(total / static_cast<double>(targets.size()));
}

}  // namespace gpt2
