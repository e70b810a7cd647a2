// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <climits>
#include <cstddef>
#include <stdexcept>
#include <string>

namespace gpt2::device {

/// One factor of a product, or one in each of several that lie `step` elements apart: a row-major matrix, or, where it
/// is transposed, the matrix whose transpose lies there. `stride` is the distance of the rows in memory.
template <class T>
struct Factor {
  T const* data;
  std::size_t stride;
  bool transposed = false;
  std::size_t step = 0;
};

/// Where a product goes.
template <class T>
struct Result {
  T* data;
  std::size_t stride;
  bool adds = false;  ///< to what is there; otherwise what is there is not read
  std::size_t step = 0;
};

/// c [rows, columns] (+)= alpha a [rows, depth] b [depth, columns], `count` times; summed in fp32 and rounded once.
template <class In, class Out>
struct Product {
  std::size_t rows, columns, depth;
  float alpha;
  Factor<In> a, b;
  Result<Out> c;
  std::size_t count = 1;
};

/// The same product as BLAS takes it, whose matrices are column-major: C [m, n] = op(A) [m, k] op(B) [k, n]. A
/// row-major matrix is the transpose of the column-major one in the same memory, so BLAS is asked for c^T = b^T a^T:
/// the factors change places, and are transposed where they were.
struct BlasProduct {
  int m, n, k;
  float alpha, beta;
  bool transposes_a, transposes_b;
  void const *a, *b;
  void* c;
  int lda, ldb, ldc;  ///< distance of the columns
  long long step_a, step_b, step_c;
  int count;
};

/// \throws std::length_error for an extent that BLAS cannot take.
[[nodiscard]] inline int blas_size(std::size_t n) {
  if (n > INT_MAX) throw std::length_error("gpt2: a matrix of " + std::to_string(n) + " rows: use a smaller --batch");
  return static_cast<int>(n);
}

template <class In, class Out>
[[nodiscard]] BlasProduct blas_product(Product<In, Out> const& p) {
  return {.m = blas_size(p.columns),
          .n = blas_size(p.rows),
          .k = blas_size(p.depth),
          .alpha = p.alpha,
          .beta = p.c.adds ? 1.0F : 0.0F,
          .transposes_a = p.b.transposed,
          .transposes_b = p.a.transposed,
          .a = p.b.data,
          .b = p.a.data,
          .c = p.c.data,
          .lda = blas_size(p.b.stride),
          .ldb = blas_size(p.a.stride),
          .ldc = blas_size(p.c.stride),
          .step_a = static_cast<long long>(p.b.step),
          .step_b = static_cast<long long>(p.a.step),
          .step_c = static_cast<long long>(p.c.step),
          .count = blas_size(p.count)};
}

}  // namespace gpt2::device
