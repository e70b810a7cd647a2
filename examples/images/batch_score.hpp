// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>

namespace images {

/// How well a model has done on a batch.
struct BatchScore {
  double loss = 0.0;  ///< mean over the pictures, in nats
  std::uint64_t pictures = 0;
  std::uint64_t correct = 0;       ///< the likeliest class was the right one
  std::uint64_t correct_top5 = 0;  ///< one of the five likeliest was
};

}  // namespace images
