// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../dropout.hpp"
#include "thread_block.hpp"

#include <zero/kernels/float_types.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>

/// The kernels around the products of attention, and cross-entropy. As kernels.hpp.
namespace gpt2::device {

/// How the columns of a token lie in heads: [tokens, parts x width] in rows, [parts, sequences, heads, length, size] in
/// heads; parts are 3 (queries, keys, values) or 1.
struct HeadLayout {
  std::uint32_t sequences, length, heads, size, parts;

  [[nodiscard]] GPT2_DEVICE std::uint32_t columns() const { return parts * heads * size; }
  /// Where column \p j of token \p row lies in heads.
  [[nodiscard]] GPT2_DEVICE std::size_t at(std::size_t row, std::uint32_t j) const {
    std::uint32_t const width = heads * size, part = j / width, head = j % width / size;
    std::size_t const sequence = row / length, position = row % length;
    std::size_t const matrix = (std::size_t{part} * sequences + sequence) * heads + head;
    return (matrix * length + position) * size + j % size;
  }
};

/// in_heads = rows, plus a bias [columns] where that is not null. Task: a token.
template <class T>
struct SplitHeads {
  HeadLayout layout;
  float const* rows;
  T const* bias;
  T* in_heads;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    float const* const in = rows + row * layout.columns();
    block.for_each(layout.columns(), [&](std::uint32_t j) {
      float const x = bias != nullptr ? in[j] + zero::widen(bias[j]) : in[j];
      in_heads[layout.at(row, j)] = zero::narrow<T>(x);
    });
  }
};

/// rows = in_heads. Task: a token.
template <class T>
struct MergeHeads {
  HeadLayout layout;
  T const* in_heads;
  T* rows;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t row) const {
    T* const out = rows + row * layout.columns();
    block.for_each(layout.columns(), [&](std::uint32_t j) { out[j] = in_heads[layout.at(row, j)]; });
  }
};

/// What dropout does to probabilities [matrices, length, length], of which these begin at query `first` of all.
struct ProbabilityMask {
  DropoutMask mask{};
  std::size_t first = 0;

  /// Of key \p j of \p query.
  [[nodiscard]] GPT2_DEVICE float factor(std::size_t query, std::uint32_t length, std::uint32_t j) const {
    return mask.drops() ? mask.factor((first + query) * length + j) : 1.0F;
  }
};

/// probabilities = softmax of each query's scores over the keys up to its own position, less what `mask` drops of them,
/// 0 beyond; both [matrices, length, length]. Task: a query.
template <class T>
struct CausalSoftmax {
  float const* scores;
  std::uint32_t length;
  T* probabilities;
  ProbabilityMask mask{};

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t query) const {
    float const* const in = scores + query * length;
    T* const out = probabilities + query * length;
    auto const seen = static_cast<std::uint32_t>(query % length) + 1;
    float const top = block.maximum(seen, [=](std::uint32_t j) { return in[j]; });
    float const total = block.sum(seen, [=](std::uint32_t j) { return std::exp(in[j] - top); });
    float const inverse = 1.0F / total;
    block.for_each(length, [&](std::uint32_t j) {
      out[j] = zero::narrow<T>(j < seen ? std::exp(in[j] - top) * inverse * mask.factor(query, length, j) : 0.0F);
    });
  }
};

/// Turns probabilities, from which nothing was dropped, into the gradient of the scores, from that of what `mask` left
/// of the probabilities; both [matrices, length, length]. Task: a query.
template <class T>
struct CausalSoftmaxBackward {
  float const* dprobabilities;
  std::uint32_t length;
  T* probabilities;
  ProbabilityMask mask{};

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t query) const {
    auto const slope = [&](std::uint32_t j) {
      return dprobabilities[query * length + j] * mask.factor(query, length, j);
    };
    T* const inout = probabilities + query * length;
    auto const seen = static_cast<std::uint32_t>(query % length) + 1;
    float const product = block.sum(seen, [=](std::uint32_t j) { return zero::widen(inout[j]) * slope(j); });
    block.for_each(length, [&](std::uint32_t j) {
      inout[j] = zero::narrow<T>(j < seen ? zero::widen(inout[j]) * (slope(j) - product) : 0.0F);
    });
  }
};

/// What cross-entropy keeps of each row of logits [rows, stride], of which `vocabulary` columns count.
struct Logits {
  std::uint32_t vocabulary, stride;
  std::uint32_t const* targets;       ///< [rows]
  float *maximum, *inverse, *losses;  ///< [rows]: the largest logit, 1 / sum of exp(logit - largest), -log probability
};

/// Task: a row.
struct CrossEntropy {
  Logits row;
  float const* logits;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t i) const {
    float const* const in = logits + i * row.stride;
    float const top = block.maximum(row.vocabulary, [=](std::uint32_t j) { return in[j]; });
    float const total = block.sum(row.vocabulary, [=](std::uint32_t j) { return std::exp(in[j] - top); });
    block.on_one_thread([&] {
      row.maximum[i] = top;
      row.inverse[i] = 1.0F / total;
      row.losses[i] = std::log(total) + (top - in[row.targets[i]]);
    });
  }
};

/// *mean = the mean of all rows' losses, added in double. One task.
struct MeanLoss {
  float const* losses;
  std::uint32_t rows;
  float* mean;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t /*task*/) const {
    double const total = block.sum(rows, [&](std::uint32_t i) { return static_cast<double>(losses[i]); });
    block.on_one_thread([&] { *mean = static_cast<float>(total / static_cast<double>(rows)); });
  }
};

/// dlogits = the gradient of the loss scale, which lies on the device, times the mean loss. May take the place of the
/// logits where T is float. Task: a row.
template <class T>
struct CrossEntropyBackward {
  Logits row;
  float const *logits, *loss_scale;
  std::uint32_t rows;
  T* dlogits;

  template <class ThreadBlock>
  GPT2_DEVICE void operator()(ThreadBlock const& block, std::size_t i) const {
    std::size_t const at = i * row.stride;
    float const scale = *loss_scale / static_cast<float>(rows), top = row.maximum[i], inverse = row.inverse[i];
    std::uint32_t const target = row.targets[i];
    block.for_each(row.vocabulary, [&](std::uint32_t j) {
      float const probability = std::exp(logits[at + j] - top) * inverse;
      dlogits[at + j] = zero::narrow<T>((j == target ? probability - 1.0F : probability) * scale);
    });
  }
};

}  // namespace gpt2::device
