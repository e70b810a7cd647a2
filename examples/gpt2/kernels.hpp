// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/instruction_set.hpp>

#include <cstddef>

namespace gpt2 {

/// A dense row-major matrix in memory that somebody else owns; `stride` is the distance of two rows in elements.
struct ConstMatrix {
  float const* data;
  std::size_t stride;
  bool transposed = false;  ///< read as its transpose: element (i, j) is data[j * stride + i]
  bool packed = false;      ///< an operand of a product that `pack_a` or `pack_b` has packed; stride is not used
};

/// Rows of a and columns of b at which a packed operand may be cut, whatever the instruction set.
inline constexpr std::size_t panel_unit = 96;

/// The depth after which a chain of multiply-adds begins anew; cutting a depth at its multiples changes no bits.
inline constexpr std::size_t depth_block = 256;

/// The output of a product; `adds` adds the product to what is there, otherwise what is there is never read.
struct OutputMatrix {
  float* data;
  std::size_t stride;
  bool adds = false;
};

/// The loops of the model that need vector instructions. One table exists per instruction set: the same source compiled
/// for 16, 8 and 4 lanes. All kernels run on the calling thread, keep no state and never allocate, except for the
/// packing buffers of `multiply`, which each thread allocates at its first product.
struct Kernels {
  char const* name;

  /// Packs rows x depth of a (depth x columns of b) into the order in which `multiply` reads it: one panel of some
  /// rows (columns) after the other, the last one filled up with zeros. A part that begins at a multiple of
  /// `panel_unit` may be packed on its own, to its first row (column) times depth.
  void (*pack_a)(std::size_t rows, std::size_t depth, ConstMatrix a, float* to);
  void (*pack_b)(std::size_t columns, std::size_t depth, ConstMatrix b, float* to);

  /// c = alpha a b (+ c), with a rows x depth, b depth x columns. Each element of c is one chain of multiply-adds per
  /// `depth_block`, so with an alpha that is a power of two its bits do not depend on how rows and columns are cut into
  /// calls.
  void (*multiply)(std::size_t rows, std::size_t columns, std::size_t depth, float alpha, ConstMatrix a, ConstMatrix b,
                   OutputMatrix c);

  /// Each row of c += bias.
  void (*add_bias)(std::size_t rows, std::size_t columns, OutputMatrix c, float const* bias);

  /// h += bias, activated = GELU(h); the tanh form of Hendrycks & Gimpel (arXiv:1606.08415) as GPT-2 uses it.
  void (*bias_gelu)(std::size_t rows, std::size_t columns, OutputMatrix h, float const* bias, OutputMatrix activated);

  /// gradient *= GELU'(h), and activated = GELU(h), which the forward pass did not keep.
  void (*gelu_backward)(std::size_t rows, std::size_t columns, ConstMatrix h, OutputMatrix gradient,
                        OutputMatrix activated);

  /// sums[j] = sum over rows of gradient(i, j), in row order; added to sums where \p adds says so.
  void (*column_sums)(std::size_t rows, std::size_t columns, ConstMatrix gradient, float* sums, bool adds);

  /// LayerNorm over each row of x [rows, width] with epsilon 1e-5; keeps the normalized rows and 1 / deviation.
  void (*layer_norm)(std::size_t rows, std::size_t width, float const* x, float const* weight, float const* bias,
                     float* normalized, float* inverse_deviation, float* out);

  /// weight * normalized + bias: the output of `layer_norm` again, to the bit.
  void (*layer_norm_again)(std::size_t rows, std::size_t width, float const* normalized, float const* weight,
                           float const* bias, float* out);

  /// dx += the gradient of LayerNorm's input (or dx = it); the rows' sums for weight and bias go to sums [2, width].
  void (*layer_norm_backward)(std::size_t rows, std::size_t width, float const* dy, float const* weight,
                              float const* normalized, float const* inverse_deviation, OutputMatrix dx, float* sums);

  /// One block of online softmax (Milakov & Gimelshein, arXiv:1805.02867). scores [rows, columns] become
  /// exp(score - maximum); maxima and denominators are carried from block to block, and the \p width columns of out are
  /// rescaled to the new maximum. Row i sees columns up to `visible + i`; the others become 0.
  void (*softmax_block)(std::size_t rows, std::size_t columns, std::size_t visible, OutputMatrix scores, float* maxima,
                        float* denominators, std::size_t width, OutputMatrix out);

  /// Divides each row of out by its denominator; log_sum[i] = maximum + log(denominator).
  void (*softmax_finish)(std::size_t rows, std::size_t width, OutputMatrix out, float const* maxima,
                         float const* denominators, float* log_sum);

  /// scores become probabilities exp(score - log_sum), dprobabilities become probabilities * (dprobabilities -
  /// products[row]): the gradient of the scores. Visibility as in `softmax_block`.
  void (*softmax_backward)(std::size_t rows, std::size_t columns, std::size_t visible, float const* log_sum,
                           float const* products, OutputMatrix scores, OutputMatrix dprobabilities);

  /// products[i] = dot(a's row i, b's row i).
  void (*row_products)(std::size_t rows, std::size_t width, ConstMatrix a, ConstMatrix b, float* products);

  /// Turns one row of logits into (softmax - onehot(target)) * scale in place and returns its loss -log
  /// softmax[target].
  float (*cross_entropy)(std::size_t vocabulary, float* logits, std::size_t target, float scale);
};

/// The table for \p set, which the machine must have: `zero::best_instruction_set()` or one below it.
[[nodiscard]] Kernels const& kernels(zero::InstructionSet set);

/// The table for the best instruction set of this machine.
[[nodiscard]] Kernels const& kernels();

}  // namespace gpt2
