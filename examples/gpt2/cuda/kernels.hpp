// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../dropout.hpp"
#include "thread_block.hpp"

#include <zero/kernels/float_types.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

/// Everything between the matrix products of a GPT-2 on a device: embedding, LayerNorm, biases, GELU and sums of
/// columns. Sums and arithmetic are fp32; T is the type of parameters, gradients and of what products read. No kernel
/// adds atomically: the bits depend on shapes and values alone. Matrices are row-major; `task` says what a task is.
namespace gpt2::device {

/// residual [tokens, width] = wte[token] + wpe[position], less what `mask` drops. Task: a token.
template <class T>
struct Embed {
  T const *wte, *wpe;
  std::uint32_t const* tokens;
  std::uint32_t width, length;
  float* residual;
  DropoutMask mask{};

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    T const* const token = wte + std::size_t{tokens[row]} * width;
    T const* const position = wpe + row % length * width;
    std::size_t const at = row * width;
    block.for_each(width, [&](std::uint32_t j) {
      float const sum = zero::widen(token[j]) + zero::widen(position[j]);
      residual[at + j] = mask.drops() ? sum * mask.factor(at + j) : sum;
    });
  }
};

/// What the backward pass of a LayerNorm (epsilon 1e-5) over rows of `width` needs.
template <class T>
struct Norm {
  T const *weight, *bias;    ///< [width]
  float* normalized;         ///< [rows, width]
  float* inverse_deviation;  ///< [rows]
  std::uint32_t width;
};

/// out = LayerNorm(x). Task: a row.
template <class T>
struct NormForward {
  Norm<T> norm;
  float const* x;
  T* out;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::uint32_t const width = norm.width;
    std::size_t const at = row * width;
    float const* const in = x + at;
    float const mean = block.sum(width, [=](std::uint32_t j) { return in[j]; }) / static_cast<float>(width);
    float const squares = block.sum(width, [=](std::uint32_t j) { return (in[j] - mean) * (in[j] - mean); });
    float const inverse = 1.0F / std::sqrt(squares / static_cast<float>(width) + 1e-5F);
    auto const& n = norm;
    T* const result = out;
    block.on_one_thread([&] { n.inverse_deviation[row] = inverse; });
    block.for_each(width, [&](std::uint32_t j) {
      float const x_j = (in[j] - mean) * inverse;
      n.normalized[at + j] = x_j;
      result[at + j] = zero::narrow<T>(x_j * zero::widen(n.weight[j]) + zero::widen(n.bias[j]));
    });
  }
};

/// out as the forward pass left it, from what it kept. Task: a row.
template <class T>
struct NormAgain {
  Norm<T> norm;
  T* out;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::size_t const at = row * norm.width;
    block.for_each(norm.width, [&](std::uint32_t j) {
      out[at + j] = zero::narrow<T>(norm.normalized[at + j] * zero::widen(norm.weight[j]) + zero::widen(norm.bias[j]));
    });
  }
};

/// dx (+)= the gradient of the input, from dy: with g = dy * weight, (g - mean(g) - n mean(g n)) / deviation (Ba et
/// al., arXiv:1607.06450). Where `narrow` is not null, the new dx goes there too, rounded for products. Task: a row.
template <class T>
struct NormBackward {
  Norm<T> norm;
  float const* dy;
  float* dx;
  T* narrow;
  bool adds;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::uint32_t const width = norm.width;
    std::size_t const at = row * width;
    auto const g = [&](std::uint32_t j) { return dy[at + j] * zero::widen(norm.weight[j]); };
    float const g_mean = block.sum(width, g) / static_cast<float>(width);
    float const gn_mean =
        block.sum(width, [&](std::uint32_t j) { return g(j) * norm.normalized[at + j]; }) / static_cast<float>(width);
    float const inverse = norm.inverse_deviation[row];
    block.for_each(width, [&](std::uint32_t j) {
      float slope = (g(j) - g_mean - norm.normalized[at + j] * gn_mean) * inverse;
      if (adds) slope += dx[at + j];
      dx[at + j] = slope;
      if (narrow != nullptr) narrow[at + j] = zero::narrow<T>(slope);
    });
  }
};

/// residual += bias, row by row. Task: a row.
template <class T>
struct AddBias {
  T const* bias;
  std::uint32_t width;
  float* residual;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    float* const out = residual + row * width;
    block.for_each(width, [&](std::uint32_t j) { out[j] += zero::widen(bias[j]); });
  }
};

/// residual += product + bias, less what `mask` drops of both, row by row. Task: a row.
template <class T>
struct AddDropped {
  float const* product;
  T const* bias;
  std::uint32_t width;
  DropoutMask mask;
  float* residual;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::size_t const at = row * width;
    block.for_each(width, [&](std::uint32_t j) {
      residual[at + j] += (product[at + j] + zero::widen(bias[j])) * mask.factor(at + j);
    });
  }
};

/// out [rows, width] = gradient times what `mask` says of each element; may take its place. Where `narrow` is not null,
/// it goes there too, rounded for products. Task: a row.
template <class T>
struct DropGradient {
  float const* gradient;
  std::uint32_t width;
  DropoutMask mask;
  float* out;
  T* narrow;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::size_t const at = row * width;
    block.for_each(width, [&](std::uint32_t j) {
      float const kept = gradient[at + j] * mask.factor(at + j);
      out[at + j] = kept;
      if (narrow != nullptr) narrow[at + j] = zero::narrow<T>(kept);
    });
  }
};

/// GELU(h) = h sigmoid(2u) with u = sqrt(2 / pi) (h + 0.044715 h^3): the tanh form without its cancellation.
struct Gelu {
  float e, sigmoid;  // of -2u: bounded, so that 0 times infinity does not come up
  GPT2_DEVICE explicit Gelu(float h)
      : e(std::exp(std::fmin(-h * (1.5957691F + 0.071354814F * h * h), 87.0F))), sigmoid(1.0F / (1.0F + e)) {}
  [[nodiscard]] GPT2_DEVICE float value(float h) const { return h * sigmoid; }
  [[nodiscard]] GPT2_DEVICE float slope(float h) const {
    return sigmoid + h * sigmoid * (e * sigmoid) * (1.5957691F + 0.21406444F * h * h);
  }
};

/// hidden = product + bias, activated = GELU(hidden), all [rows, columns]; `activated` may be null. Task: a row.
template <class T>
struct BiasGelu {
  float const* product;
  T const* bias;
  std::uint32_t columns;
  T *hidden, *activated;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::size_t const at = row * columns;
    block.for_each(columns, [&](std::uint32_t j) {
      T const rounded = zero::narrow<T>(product[at + j] + zero::widen(bias[j]));
      float const h = zero::widen(rounded);  // what the backward pass will see
      hidden[at + j] = rounded;
      if (activated != nullptr) activated[at + j] = zero::narrow<T>(Gelu(h).value(h));
    });
  }
};

// Kernels of rows begin alike and share nothing else.

/// dhidden = dactivated * GELU'(hidden), and activated once more. Task: a row.
template <class T>
struct GeluBackward {
  T const* hidden;
  float const* dactivated;
  std::uint32_t columns;
  T *dhidden, *activated;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    std::size_t const at = row * columns;
    block.for_each(columns, [&](std::uint32_t j) {
      float const h = zero::widen(hidden[at + j]);
      Gelu const gelu(h);
      dhidden[at + j] = zero::narrow<T>(dactivated[at + j] * gelu.slope(h));
      activated[at + j] = zero::narrow<T>(gelu.value(h));
    });
  }
};

// ------------------------------------------------------------------------------------------------- sums of columns

/// Sums of columns are taken in groups of so many rows, then over the groups, both in order.
inline constexpr std::uint32_t rows_per_sum = 64;

[[nodiscard]] constexpr std::size_t parts_of(std::size_t n, std::size_t part) { return (n + part - 1) / part; }

/// What a task of a partial sum covers: rows [first, last) and some columns from `column` on.
struct SumTile {
  std::size_t first, last;
  std::uint32_t column, columns;

  GPT2_DEVICE SumTile(std::size_t task, std::uint32_t rows, std::uint32_t all_columns) {
    std::size_t const tiles = (std::size_t{all_columns} + block_threads - 1) / block_threads;
    first = task / tiles * rows_per_sum;
    last = first + rows_per_sum < rows ? first + rows_per_sum : rows;
    column = static_cast<std::uint32_t>(task % tiles) * block_threads;
    columns = all_columns - column < block_threads ? all_columns - column : block_threads;
  }
};

/// partial [groups, columns] of values [rows, columns]. Task: a group of rows and a tile of columns.
template <class V>
struct ColumnSums {
  V const* values;
  std::uint32_t rows, columns;
  float* partial;

  [[nodiscard]] std::size_t tasks() const { return parts_of(rows, rows_per_sum) * parts_of(columns, block_threads); }

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t task) const {
    SumTile const tile(task, rows, columns);
    float* const out = partial + tile.first / rows_per_sum * columns;
    block.for_each(tile.columns, [&](std::uint32_t j) {
      std::size_t const column = tile.column + j;
      float total = 0.0F;
      for (std::size_t i = tile.first; i < tile.last; ++i) total += zero::widen(values[i * columns + column]);
      out[column] = total;
    });
  }
};

/// partial [groups, 2 width]: the sums of dy * normalized, then of dy: what weight and bias of a LayerNorm get. Task: a
/// group of rows and a tile of columns.
struct NormSums {
  float const *dy, *normalized;
  // As above: a kernel is a plain value without a base, and those of sums begin alike.
  std::uint32_t rows, columns;
  float* partial;

  [[nodiscard]] std::size_t tasks() const { return parts_of(rows, rows_per_sum) * parts_of(columns, block_threads); }

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t task) const {
    SumTile const tile(task, rows, columns);
    float* const out = partial + tile.first / rows_per_sum * 2 * columns;
    block.for_each(tile.columns, [&](std::uint32_t j) {
      std::size_t const column = tile.column + j;
      float weight = 0.0F, bias = 0.0F;
      for (std::size_t i = tile.first; i < tile.last; ++i) {
        float const slope = dy[i * columns + column];
        weight += slope * normalized[i * columns + column];
        bias += slope;
      }
      out[column] = weight;
      out[columns + column] = bias;
    });
  }
};

/// gradient [columns] (+)= the sum over the groups of partial [groups, stride], rounded once. Task: a tile of columns.
template <class T>
struct AddGroups {
  float const* partial;
  std::size_t groups, stride;
  std::uint32_t columns;
  T* gradient;
  bool adds;

  [[nodiscard]] std::size_t tasks() const { return parts_of(columns, block_threads); }

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t task) const {
    std::size_t const first = task * block_threads;
    std::size_t const left = columns - first;
    block.for_each(static_cast<std::uint32_t>(left < block_threads ? left : block_threads), [&](std::uint32_t j) {
      std::size_t const column = first + j;
      float total = 0.0F;
      for (std::size_t g = 0; g < groups; ++g) total += partial[g * stride + column];
      gradient[column] = zero::narrow<T>(adds ? zero::widen(gradient[column]) + total : total);
    });
  }
};

// ------------------------------------------------------------------------------------------------- embeddings

/// to [n] = 0, 1, 2 and so on. Task: `block_threads` of them.
struct CountUp {
  std::uint32_t* to;
  std::size_t n;

  [[nodiscard]] std::size_t tasks() const { return parts_of(n, block_threads); }

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t task) const {
    std::size_t const first = task * block_threads, left = n - first;
    std::uint32_t* const out = to + first;
    block.for_each(static_cast<std::uint32_t>(left < block_threads ? left : block_threads),
                   [=](std::uint32_t i) { out[i] = static_cast<std::uint32_t>(first) + i; });
  }
};

/// The positions of each distinct token of a micro-batch, all on the device: those of the k-th distinct token are
/// positions[begins[k]] and the counts[k] - 1 that follow.
struct TokenGroups {
  std::uint32_t const* positions;  ///< [tokens]: sorted by token, then by position
  std::uint32_t const* tokens;     ///< the distinct ones, ascending
  std::uint32_t const *counts, *begins;
  std::uint32_t const* size;  ///< how many distinct tokens there are
};

/// Adds to one token's row of wte the gradients of all its positions, rounded once. Task: a distinct token. Tasks
/// beyond the last one do nothing: their number is known to the device alone.
template <class T>
struct AddTokens {
  float const* dresidual;
  TokenGroups groups;
  std::uint32_t width;
  T* wte;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t task) const {
    if (task >= *groups.size) return;
    T* const row = wte + std::size_t{groups.tokens[task]} * width;
    std::uint32_t const* const positions = groups.positions + groups.begins[task];
    std::uint32_t const count = groups.counts[task];
    block.for_each(width, [&](std::uint32_t j) {
      float total = 0.0F;
      for (std::uint32_t i = 0; i < count; ++i) total += dresidual[std::size_t{positions[i]} * width + j];
      row[j] = zero::narrow<T>(zero::widen(row[j]) + total);
    });
  }
};

/// wpe (+)= the gradients of each position, over all sequences; 0 for positions that none has. Task: a position.
template <class T>
struct AddPositions {
  float const* dresidual;
  std::uint32_t sequences, length, width;
  T* wpe;
  bool adds;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t position) const {
    T* const row = wpe + position * width;
    std::uint32_t const some = position < length ? sequences : 0;
    block.for_each(width, [&](std::uint32_t j) {
      float total = 0.0F;
      for (std::size_t s = 0; s < some; ++s) total += dresidual[(s * length + position) * width + j];
      row[j] = zero::narrow<T>(adds ? zero::widen(row[j]) + total : total);
    });
  }
};

}  // namespace gpt2::device
