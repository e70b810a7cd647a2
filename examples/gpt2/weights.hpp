// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"

#include <array>
#include <cstdint>

namespace gpt2 {

using Token = std::uint32_t;

/// Where a layer's backward pass puts the gradient of one parameter. The memory is borrowed for that call.
template <class T>
struct Gradient {
  T* values;
  bool adds;  ///< add to what is there; otherwise what is there is undefined and never read
};

/// The twelve parameters of a block and their gradients, indexed by `BlockParameter`.
template <class T>
using BlockWeights = std::array<T const*, block_parameter_count>;
template <class T>
using BlockGradients = std::array<Gradient<T>, block_parameter_count>;

/// The last LayerNorm and the output projection, which is the token embedding [vocabulary, width].
template <class T>
struct HeadWeights {
  T const *ln_f_weight, *ln_f_bias, *wte;
};
template <class T>
struct HeadGradients {
  Gradient<T> ln_f_weight, ln_f_bias, wte;
};

}  // namespace gpt2
