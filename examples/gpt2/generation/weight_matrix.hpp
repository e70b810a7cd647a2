// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "large_memory.hpp"
#include "quantized_rows.hpp"
#include "weight_type.hpp"

#include <zero/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gpt2 {

/// How the values lie that a matrix is made of.
enum class Order : std::uint8_t {
  outputs_first,  ///< [outputs, inputs]: an embedding
  inputs_first,   ///< [inputs, outputs]: Conv1D's matrices
};

/// A matrix [outputs, inputs] that rows of activations are multiplied with, in one of the types of `WeightType`. With
/// int8 each output has a scale, its largest magnitude divided by 127, and its weights are rounded to multiples of it.
class WeightMatrix {
 public:
  WeightMatrix() = default;
  /// Rounds \p values to \p type. \p pool is used here only.
  WeightMatrix(WeightType type, std::size_t outputs, std::size_t inputs, std::span<float const> values, Order order,
               zero::ThreadPool& pool);

  [[nodiscard]] std::size_t outputs() const noexcept { return outputs_; }
  /// \name With the zeros that fill rows and outputs up
  /// @{
  [[nodiscard]] std::size_t padded_outputs() const noexcept { return padded(outputs_, output_unit); }
  [[nodiscard]] std::size_t padded_inputs() const noexcept { return padded(inputs_, input_unit); }
  /// @}
  [[nodiscard]] std::size_t bytes() const noexcept { return memory_.bytes() + scales_.size() * sizeof(float); }

  /// out [rows, padded outputs] = x times the transpose of this, for x [rows, padded inputs], whose padding is zero.
  /// Calls `epilogue(first, count)` once for every part of the outputs, on the thread that has made it, as soon as it
  /// is complete. The bits of a row depend on that row alone. \p scratch is used with int8.
  template <class Epilogue>
  void multiply(zero::ThreadPool& pool, std::size_t rows, float const* x, float* out, QuantizedRows& scratch,
                Epilogue&& epilogue) const {
    if (type_ == WeightType::int8) scratch.set(pool, rows, padded_inputs(), x);
    std::size_t const all = padded_outputs(), part = outputs_of_part(pool.size());
    pool.parallel_for((all + part - 1) / part, [&](std::size_t task) {
      std::size_t const first = task * part, count = std::min(part, all - first);
      multiply_part(first, count, rows, x, out, scratch);
      epilogue(first, std::min(count, outputs_ - std::min(outputs_, first)));
    });
  }

  /// The weights of one output, widened to \p to [inputs].
  void read(std::size_t output, float* to) const;

 private:
  [[nodiscard]] std::size_t row_bytes() const noexcept { return padded_inputs() * size_of(type_); }
  /// Outputs of a task: large ones read on without a break, and several for each thread even out what threads are given
  /// of their cores.
  [[nodiscard]] std::size_t outputs_of_part(int threads) const noexcept {
    constexpr std::size_t least = std::size_t{16} << 10U, most = std::size_t{512} << 10U;  // bytes
    std::size_t const even = memory_.bytes() / (4 * static_cast<std::size_t>(threads));
    return padded(std::max<std::size_t>(1, std::clamp(even, least, most) / row_bytes()), output_unit);
  }
  void store(std::size_t output, float const* row);
  void multiply_part(std::size_t first, std::size_t count, std::size_t rows, float const* x, float* out,
                     QuantizedRows const& quantized) const;
  template <class T>
  [[nodiscard]] T* row(std::size_t output) const noexcept {
    return reinterpret_cast<T*>(memory_.get() + output * row_bytes());
  }

  WeightType type_ = WeightType::fp32;
  std::size_t outputs_ = 0, inputs_ = 0;
  LargeMemory memory_;
  std::vector<float> scales_;  // of outputs, with int8
};

}  // namespace gpt2
