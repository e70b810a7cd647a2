// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "layers.hpp"
#include "random.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace gpt2 {

struct SamplingConfig {
  double temperature = 0.8;  ///< divides the logits; 0 takes the largest one
  std::size_t top_k = 0;     ///< only so many of the likeliest tokens are drawn from; 0: all
  double top_p = 0.95;       ///< nucleus sampling (Holtzman et al., arXiv:1904.09751): the likeliest tokens that
                             ///< together reach this probability are drawn from; 1 keeps all
};

/// The numbers that the tokens behind \p prompt are drawn with, the first by counter 0: a function of the seed and of
/// the prompt's tokens behind its first one, so that a text is the same whatever other prompts stand beside it.
[[nodiscard]] CounterRandom sampling_stream(std::uint64_t seed, std::span<Token const> prompt);

/// Draws a token from softmax(\p logits / temperature), first restricted to its top_k, then to the nucleus of what is
/// left, with the \p counter-th number of \p random. Equal logits are ranked by their index, in both.
/// \throws std::invalid_argument for a temperature that is negative or not finite, a top_p outside (0, 1], no logits,
/// or logits of which one is NaN or infinite.
[[nodiscard]] Token sample(std::span<float const> logits, SamplingConfig const& config, CounterRandom const& random,
                           std::uint64_t counter);

}  // namespace gpt2
