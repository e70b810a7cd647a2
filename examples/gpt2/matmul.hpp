// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "blas.hpp"
#include "buffer.hpp"
#include "kernels.hpp"

#include <zero/thread_pool.hpp>

#include <algorithm>
#include <cstddef>

namespace gpt2 {

/// A part of a matrix: rows [row, row + rows), columns [column, column + columns).
struct Tile {
  std::size_t row, column, rows, columns;

  [[nodiscard]] ConstMatrix of(ConstMatrix m) const {
    return {m.data + (m.transposed ? column * m.stride + row : row * m.stride + column), m.stride, m.transposed};
  }
  [[nodiscard]] OutputMatrix of(OutputMatrix m) const { return {m.data + row * m.stride + column, m.stride, m.adds}; }
};

/// Rows x columns x depth of a product.
struct ProductShape {
  std::size_t rows, columns, depth;
};

/// How the output of a product is cut into tasks along its longer side: by its shape alone, never by the number of
/// threads. A task keeps its tile of the output in a second-level cache, where the epilogue finds it.
class Tiling {
 public:
  explicit Tiling(ProductShape const& shape) : shape_(shape), by_columns_(shape.columns >= shape.rows) {
    std::size_t const longer = by_columns_ ? shape.columns : shape.rows;
    std::size_t const shorter = by_columns_ ? shape.rows : shape.columns;
    std::size_t const unit = by_columns_ ? 32 : 24;  // whole micro tiles of every instruction set
    std::size_t const for_balance = ceiling(longer, most_tasks);
    std::size_t const for_work = ceiling(least_work, shorter * shape.depth);
    std::size_t const for_cache = std::max(unit, most_elements / shorter / unit * unit);
    length_ = std::min(ceiling(std::max(for_balance, for_work), unit) * unit, for_cache);
    size_ = ceiling(longer, length_);
  }

  /// Whether a tile has all rows and some columns; otherwise it has all columns and some rows.
  [[nodiscard]] bool by_columns() const { return by_columns_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] Tile operator[](std::size_t i) const {
    std::size_t const first = i * length_;
    if (by_columns_) return {0, first, shape_.rows, std::min(length_, shape_.columns - first)};
    return {first, 0, std::min(length_, shape_.rows - first), shape_.columns};
  }

 private:
  static constexpr std::size_t most_tasks = 16;                       // unless tiles were too large for the cache
  static constexpr std::size_t least_work = std::size_t{1} << 20;     // multiply-adds: some 20 microseconds
  static constexpr std::size_t most_elements = std::size_t{1} << 17;  // 512 KB of output

  static std::size_t ceiling(std::size_t a, std::size_t b) { return (a + b - 1) / b; }

  ProductShape shape_;
  bool by_columns_;
  std::size_t length_ = 0, size_ = 0;
};

/// Multiplies matrices on the threads of a pool, with OpenBLAS where it serves, else with our own kernels. The operand
/// that all tasks read is packed once, in parallel, into a buffer that the multiplier keeps; the other one is packed by
/// the task that reads it.
class Multiplier {
 public:
  /// \p pool is borrowed.
  explicit Multiplier(zero::ThreadPool& pool) : pool_(pool) {}

  /// c = alpha a b (+ c). Calls `epilogue(tile)` as soon as a tile of c is complete, on the thread that made it. Blocks
  /// until all is done. Allocates only when it meets a larger product than ever before.
  template <class Epilogue>
  void operator()(ProductShape const& shape, float alpha, ConstMatrix a, ConstMatrix b, OutputMatrix c,
                  Epilogue&& epilogue) {
    for (std::size_t k = 0; k < shape.depth; k += most_depth) {
      ProductShape const part{shape.rows, shape.columns, std::min(most_depth, shape.depth - k)};
      ConstMatrix const a_part = Tile{0, k, shape.rows, part.depth}.of(a);
      ConstMatrix const b_part = Tile{k, 0, part.depth, shape.columns}.of(b);
      OutputMatrix const c_part{c.data, c.stride, c.adds || k != 0};
      if (k + part.depth < shape.depth) {
        multiply(part, alpha, a_part, b_part, c_part, [](Tile const&) {});
      } else {
        multiply(part, alpha, a_part, b_part, c_part, epilogue);
      }
    }
  }

  /// c = a b (+ c).
  void operator()(ProductShape const& shape, ConstMatrix a, ConstMatrix b, OutputMatrix c) {
    (*this)(shape, 1.0F, a, b, c, [](Tile const&) {});
  }

  /// Bytes of the buffer for packed operands.
  [[nodiscard]] std::size_t bytes() const noexcept { return packed_.bytes(); }

 private:
  // Bounds the buffer: a larger depth (the vocabulary, in the head's backward pass) is cut without changing a bit.
  static constexpr std::size_t most_depth = 16 * depth_block;

  template <class Epilogue>
  void multiply(ProductShape const& shape, float alpha, ConstMatrix a, ConstMatrix b, OutputMatrix c,
                Epilogue&& epilogue) {
    Tiling const tiling(shape);
    if (blas_serves()) {
      pool_.parallel_for(tiling.size(), [&](std::size_t task) {
        Tile const tile = tiling[task];
        blas_multiply(tile.rows, tile.columns, shape.depth, alpha, Tile{tile.row, 0, tile.rows, shape.depth}.of(a),
                      Tile{0, tile.column, shape.depth, tile.columns}.of(b), tile.of(c));
        epilogue(tile);
      });
      return;
    }
    ConstMatrix const shared = tiling.by_columns() ? pack_a(shape, a) : pack_b(shape, b);
    pool_.parallel_for(tiling.size(), [&](std::size_t task) {
      Tile const tile = tiling[task];
      ConstMatrix const left = tiling.by_columns() ? shared : Tile{tile.row, 0, tile.rows, shape.depth}.of(a);
      ConstMatrix const right = tiling.by_columns() ? Tile{0, tile.column, shape.depth, tile.columns}.of(b) : shared;
      kernels().multiply(tile.rows, tile.columns, shape.depth, alpha, left, right, tile.of(c));
      epilogue(tile);
    });
  }

  ConstMatrix pack_a(ProductShape const& shape, ConstMatrix a) {
    float* const to = reserve(shape.rows, shape.depth);
    for_units(shape.rows, [&](std::size_t first, std::size_t count) {
      kernels().pack_a(count, shape.depth, Tile{first, 0, count, shape.depth}.of(a), to + first * shape.depth);
    });
    return {to, 0, false, true};
  }

  ConstMatrix pack_b(ProductShape const& shape, ConstMatrix b) {
    float* const to = reserve(shape.columns, shape.depth);
    for_units(shape.columns, [&](std::size_t first, std::size_t count) {
      kernels().pack_b(count, shape.depth, Tile{0, first, shape.depth, count}.of(b), to + first * shape.depth);
    });
    return {to, 0, false, true};
  }

  float* reserve(std::size_t extent, std::size_t depth) {
    std::size_t const size = (extent + panel_unit - 1) / panel_unit * panel_unit * depth;
    if (packed_.size() < size) packed_ = Buffer(size);
    return packed_.get();
  }

  template <class F>
  void for_units(std::size_t extent, F&& f) {
    pool_.parallel_for((extent + panel_unit - 1) / panel_unit, [&](std::size_t unit) {
      f(unit * panel_unit, std::min(panel_unit, extent - unit * panel_unit));
    });
  }

  zero::ThreadPool& pool_;
  Buffer packed_;
};

}  // namespace gpt2
