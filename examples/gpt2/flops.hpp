// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "parameters.hpp"

#include <zero/precision.hpp>

#include <optional>
#include <string_view>

namespace gpt2 {

/// Floating-point operations of forward and backward for one token: 6 N + 12 L H Q T, with N parameters without those
/// of positions, L blocks, H heads of Q elements and a context of T tokens. Chowdhery et al., "PaLM: Scaling Language
/// Modeling with Pathways", 2022, appendix B. What is computed twice does not count.
[[nodiscard]] double flops_per_token(ModelShape const& shape);

/// Floating-point operations per second that the GPU called \p name, as CUDA spells it, reaches at most with operands
/// of \p type: dense products with sums in fp32. Nothing for a GPU, or a type on it, that is not known.
[[nodiscard]] std::optional<double> known_peak_flops(std::string_view name, zero::ElementType type);

}  // namespace gpt2
