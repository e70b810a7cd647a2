// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "layers.hpp"
#include "random.hpp"

#include <cstdint>
#include <span>

namespace gpt2 {

struct SamplingConfig {
  double temperature = 0.8;  ///< divides the logits; 0 takes the largest one
  double top_p = 0.95;       ///< nucleus sampling (Holtzman et al., arXiv:1904.09751): the likeliest tokens that
                             ///< together reach this probability are drawn from; 1 keeps all
};

/// Draws a token from softmax(\p logits / temperature) restricted to its nucleus, with the \p counter-th number of
/// \p random. Equal logits are ranked by their index.
/// \throws std::invalid_argument for a temperature that is negative or not finite, a top_p outside (0, 1], no logits,
/// or logits of which one is NaN or infinite.
[[nodiscard]] Token sample(std::span<float const> logits, SamplingConfig const& config, CounterRandom const& random,
                           std::uint64_t counter);

}  // namespace gpt2
