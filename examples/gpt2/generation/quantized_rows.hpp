// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "decoding_kernels.hpp"

#include <zero/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gpt2 {

/// Rows of activations as integers, each with a scale of its own: what they are multiplied with weights of 8 bits as.
class QuantizedRows {
 public:
  /// Takes up to \p rows rows of up to \p inputs elements, padded.
  void reserve(std::size_t rows, std::size_t inputs) {
    values_.resize(std::max(values_.size(), rows * inputs));
    scales_.resize(std::max(scales_.size(), rows));
  }

  /// Rounds x [rows, inputs], whose padding is zero, to what products of so many inputs allow.
  void set(zero::ThreadPool& pool, std::size_t rows, std::size_t inputs, float const* x) {
    auto const levels = static_cast<float>(quantized_levels(inputs));
    pool.parallel_for(rows, [&](std::size_t r) {
      auto const& kernels = decoding_kernels();
      float const most = kernels.largest(inputs, x + r * inputs);
      kernels.quantize(inputs, x + r * inputs, most, levels, values_.data() + r * inputs);
      scales_[r] = most / levels;
    });
  }

  [[nodiscard]] std::int16_t const* values() const noexcept { return values_.data(); }
  [[nodiscard]] float const* scales() const noexcept { return scales_.data(); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return values_.size() * sizeof(std::int16_t) + scales_.size() * sizeof(float);
  }

 private:
  std::vector<std::int16_t> values_;
  std::vector<float> scales_;
};

}  // namespace gpt2
