// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "kernels.hpp"

#include <cstddef>
#include <string>

namespace gpt2 {

/// Whether products go to OpenBLAS: it was there when this was built, and its kernels are meant for this CPU. A version
/// that does not know the CPU falls back to kernels of 2004, several times slower than our own; then ours are used.
[[nodiscard]] bool blas_serves();

/// c = alpha a b (+ c) on the calling thread. Only where `blas_serves`; no operand may be packed.
void blas_multiply(std::size_t rows, std::size_t columns, std::size_t depth, float alpha, ConstMatrix a, ConstMatrix b,
                   OutputMatrix c);

/// What multiplies matrices in this process, and why, for people.
[[nodiscard]] std::string describe_products();

}  // namespace gpt2
