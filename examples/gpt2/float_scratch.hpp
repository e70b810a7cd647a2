// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "buffer.hpp"
#include "weights.hpp"

#include <zero/kernels/cast.hpp>
#include <zero/thread_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace gpt2 {

/// Calls `f(first, size)` for consecutive parts of [0, \p count) on the threads of \p pool; their boundaries depend on
/// the arguments alone.
template <class F>
void for_parts(zero::ThreadPool& pool, std::size_t count, std::size_t part, F&& f) {
  pool.parallel_for((count + part - 1) / part, [&](std::size_t task) {
    std::size_t const first = task * part;
    f(first, std::min(part, count - first));
  });
}

/// gradient = values, or gradient + values, rounded to T once.
template <class T>
void put_gradient(Gradient<T> gradient, float const* values, std::size_t count) {
  auto const set = zero::best_instruction_set();
  if (!gradient.adds) return zero::cast(set, gradient.values, values, count);
  constexpr std::size_t part = 1024;
  float sums[part];
  for (std::size_t first = 0; first < count; first += part) {
    std::size_t const size = std::min(part, count - first);
    zero::cast(set, sums, gradient.values + first, size);
    for (std::size_t i = 0; i < size; ++i) sums[i] += values[first + i];
    zero::cast(set, gradient.values + first, sums, size);
  }
}

/// Shows the 16-bit weights and gradients of one layer in float: weights are widened into scratch before they are used,
/// gradients are made in scratch and rounded to where they belong afterwards. With T = float nothing is copied: all
/// is done in place, and the scratch is empty. \p at says where in the scratch a parameter has its place.
template <class T>
class FloatScratch {
 public:
  /// \p size elements of scratch for weights and as many for gradients. \p pool is borrowed.
  FloatScratch(zero::ThreadPool& pool, std::size_t size)
      : pool_(pool), weights_(in_place ? 0 : size), gradients_(in_place ? 0 : size) {}

  /// \p values in float; valid until the place at \p at is used again.
  [[nodiscard]] float const* weight([[maybe_unused]] T const* values, [[maybe_unused]] std::size_t count,
                                    [[maybe_unused]] std::size_t at) {
    if constexpr (in_place) {
      return values;
    } else {
      float* const to = weights_.get() + at;
      for_parts(pool_, count, part, [&](std::size_t first, std::size_t size) {
        zero::cast(zero::best_instruction_set(), to + first, values + first, size);
      });
      return to;
    }
  }

  /// Where to put \p gradient in float.
  [[nodiscard]] Gradient<float> begin_gradient([[maybe_unused]] Gradient<T> gradient, [[maybe_unused]] std::size_t at) {
    if constexpr (in_place) {
      return gradient;
    } else {
      return {gradients_.get() + at, false};
    }
  }

  /// Takes \p gradient from where `begin_gradient` said.
  void end_gradient([[maybe_unused]] Gradient<T> gradient, [[maybe_unused]] std::size_t count,
                    [[maybe_unused]] std::size_t at) {
    if constexpr (!in_place) {
      float const* const from = gradients_.get() + at;
      for_parts(pool_, count, part, [&](std::size_t first, std::size_t size) {
        put_gradient(Gradient<T>{gradient.values + first, gradient.adds}, from + first, size);
      });
    }
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return weights_.bytes() + gradients_.bytes(); }

 private:
  static constexpr bool in_place = std::is_same_v<T, float>;
  static constexpr std::size_t part = std::size_t{1} << 16;  // elements per task

  zero::ThreadPool& pool_;
  Buffer weights_, gradients_;
};

}  // namespace gpt2
