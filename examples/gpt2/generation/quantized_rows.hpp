// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "decoding_kernels.hpp"

#include <zero/thread_pool.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace gpt2 {

/// Whether all of x [count] are finite: rounded to integers, what is not would pass for a number.
[[nodiscard]] inline bool are_finite(std::size_t count, float const* x) noexcept {
  constexpr std::uint32_t exponent = 0x7F800000U;
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < count; ++i) largest = std::max(largest, std::bit_cast<std::uint32_t>(x[i]) & exponent);
  return largest != exponent;
}

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
      bool const are_numbers = are_finite(inputs, x + r * inputs);
      scales_[r] = are_numbers ? most / levels : std::numeric_limits<float>::quiet_NaN();
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
