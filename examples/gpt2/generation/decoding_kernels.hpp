// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace gpt2 {

/// Rows of activations and of weights are padded with zeros to a multiple of this many elements.
inline constexpr std::size_t input_unit = 32;
/// Outputs of a matrix are padded with rows of zeros to a multiple of this.
inline constexpr std::size_t output_unit = 4;

[[nodiscard]] constexpr std::size_t padded(std::size_t count, std::size_t unit) {
  return (count + unit - 1) / unit * unit;
}

/// Some outputs of rows times a matrix: out[r, o] = dot(x[r], weights[o]). A row's result has the same bits whatever
/// other rows stand beside it, and however outputs are cut into calls.
template <class X>
struct RowProduct {
  std::size_t rows, outputs, inputs;  ///< of this call; multiples of 1, `output_unit` and `input_unit`
  X const* x;                         ///< [rows, x_stride]
  std::size_t x_stride;
  float* out;  ///< [rows, out_stride]
  std::size_t out_stride;
};

/// What a product with weights of 8 bits needs beside them.
struct RowScales {
  float const* rows;     ///< of x
  float const* outputs;  ///< of the weights
};

/// One head's attention of one token over the tokens of its sequence, itself included.
struct HeadAttention {
  std::size_t positions;
  std::size_t size;  ///< of the head, padded to `input_unit`; as are the next three
  float const* query;
  float const* keys;    ///< [positions, size]
  float const* values;  ///< [positions, size]
  float scale;          ///< of the scores
  float* out;           ///< [size]
};

/// The loops of decoding that need vector instructions. With one row, products read each weight once and in order, so
/// that they are bound by the memory's bandwidth. All run on the calling thread, keep no state and never allocate.
struct DecodingKernels {
  char const* name;

  /// The weights are [outputs, inputs]; 16-bit ones are widened as they are read, and sums are of 32 bits.
  void (*fp32)(RowProduct<float> const& product, float const* weights);
  void (*bf16)(RowProduct<float> const& product, std::uint16_t const* weights);
  void (*fp16)(RowProduct<float> const& product, std::uint16_t const* weights);

  /// Integers, whose sums are exact: the same bits in every table. They must fit 32 bits, as `quantized_levels` sees
  /// to.
  void (*int8)(RowProduct<std::int16_t> const& product, std::int8_t const* weights, RowScales const& scales);

  /// Rounds x [count], of which none is larger than \p largest, to integers up to \p levels.
  void (*quantize)(std::size_t count, float const* x, float largest, float levels, std::int16_t* to);
  /// The largest magnitude of x [count].
  float (*largest)(std::size_t count, float const* x);

  /// out = softmax(scale * query keys^T) values, over positions in their order.
  void (*attend)(HeadAttention const& head);
};

/// The largest magnitude of activations that are multiplied with weights of 8 bits: 14 bits and sign, or fewer where a
/// sum of \p inputs products could leave 32 bits.
[[nodiscard]] constexpr std::size_t quantized_levels(std::size_t inputs) {
  std::size_t const most = std::size_t{0x7FFFFFFF} / (127 * inputs);
  return most < 16383 ? most : 16383;
}

/// The table for this machine.
[[nodiscard]] DecodingKernels const& decoding_kernels();

/// All tables that this machine can run, the best one first.
[[nodiscard]] std::span<DecodingKernels const* const> all_decoding_kernels();

}  // namespace gpt2
