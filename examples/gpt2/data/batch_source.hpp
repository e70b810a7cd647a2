// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../tokens.hpp"

#include <cstdint>
#include <vector>

namespace gpt2 {

/// Which sequences make up one micro-batch: the same ones whoever asks, whatever was drawn before.
struct BatchKey {
  std::uint64_t seed;
  std::uint64_t step;
  std::uint64_t micro_batch;  ///< counted over all ranks of the step
};

/// What a rank asks for: a micro-batch of training data, or of one of the validation sets.
struct BatchRequest {
  Split split = Split::train;
  std::size_t set = 0;  ///< of those for validation
  BatchKey key{};
};

/// Sequences of one micro-batch and the tokens that follow, [sequences, length] each.
struct TokenBatch {
  std::vector<Token> tokens, targets;
};

}  // namespace gpt2
