// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <gpt2/layers.hpp>
#include <gpt2/parameters.hpp>

#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

/// GPT-2's forward pass once more, in double and in the plainest way, to judge the fast one by. Shares no code with it.
namespace reference {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

/// All parameters in the order of gpt2::parameter_shapes.
using Parameters = std::vector<Row>;

inline Row normalize(Row const& x, Row const& weight, Row const& bias) {
  double mean = 0.0, variance = 0.0;
  for (double const v : x) mean += v / static_cast<double>(x.size());
  for (double const v : x) variance += (v - mean) * (v - mean) / static_cast<double>(x.size());
  Row y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * weight[i] + bias[i];
  return y;
}

/// x [inputs] times weight [inputs, outputs] plus bias [outputs].
inline Row linear(Row const& x, Row const& weight, Row const& bias) {
  Row y = bias;
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < y.size(); ++j) y[j] += x[i] * weight[i * y.size() + j];
  }
  return y;
}

inline double gelu(double x) {
  return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

inline void softmax(Row& x) {
  double total = 0.0;
  for (double& v : x) total += v = std::exp(v);
  for (double& v : x) v /= total;
}

/// One query against the keys up to its own position, for one head whose columns begin at \p column.
inline void attend(Rows const& qkv, std::size_t query, std::size_t first, std::size_t column, std::size_t size,
                   Row& out) {
  std::size_t const width = out.size();
  Row weights;
  for (std::size_t key = first; key <= query; ++key) {
    double score = 0.0;
    for (std::size_t i = 0; i < size; ++i) score += qkv[query][column + i] * qkv[key][width + column + i];
    weights.push_back(score / std::sqrt(static_cast<double>(size)));
  }
  softmax(weights);
  for (std::size_t key = first; key <= query; ++key) {
    for (std::size_t i = 0; i < size; ++i) out[column + i] += weights[key - first] * qkv[key][2 * width + column + i];
  }
}

inline void add(Row& x, Row const& y) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

inline void block(gpt2::ModelShape const& shape, Row const* p, std::size_t length, Rows& x) {
  std::size_t const size = shape.width / shape.heads;
  Rows qkv;
  for (auto const& row : x) qkv.push_back(linear(normalize(row, p[0], p[1]), p[2], p[3]));
  for (std::size_t t = 0; t < x.size(); ++t) {
    Row attended(shape.width);
    for (std::size_t h = 0; h < shape.heads; ++h) attend(qkv, t, t / length * length, h * size, size, attended);
    add(x[t], linear(attended, p[4], p[5]));
  }
  for (auto& row : x) {
    Row hidden = linear(normalize(row, p[6], p[7]), p[8], p[9]);
    for (double& v : hidden) v = gelu(v);
    add(row, linear(hidden, p[10], p[11]));
  }
}

/// The logits of every token.
inline Rows logits(gpt2::ModelShape const& shape, Parameters const& p, std::vector<gpt2::Token> const& tokens,
                   std::size_t length) {
  Rows x;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    Row row(shape.width);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = p[0][tokens[t] * shape.width + i] + p[1][t % length * shape.width + i];
    }
    x.push_back(row);
  }
  for (std::size_t layer = 0; layer < shape.layers; ++layer) block(shape, &p[2 + 12 * layer], length, x);
  Rows all;
  for (auto const& row : x) {
    Row const y = normalize(row, p[p.size() - 2], p[p.size() - 1]);
    Row scores(shape.vocabulary);
    for (std::size_t v = 0; v < shape.vocabulary; ++v) {
      for (std::size_t i = 0; i < shape.width; ++i) scores[v] += y[i] * p[0][v * shape.width + i];
    }
    all.push_back(scores);
  }
  return all;
}

/// The mean cross-entropy of \p targets in nats.
inline double loss(gpt2::ModelShape const& shape, Parameters const& p, std::vector<gpt2::Token> const& tokens,
                   std::vector<gpt2::Token> const& targets, std::size_t length) {
  Rows all = logits(shape, p, tokens, length);
  double total = 0.0;
  for (std::size_t t = 0; t < tokens.size(); ++t) {
    softmax(all[t]);
    total -= std::log(all[t][targets[t]]);
  }
  return total / static_cast<double>(tokens.size());
}

}  // namespace reference
