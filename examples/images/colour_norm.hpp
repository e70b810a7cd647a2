// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>

namespace images {

/// By which values are normalized, of red, green and blue from 0 to 1: (value - mean) / deviation.
struct ColourNorm {
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F}, deviation{0.229F, 0.224F, 0.225F};  ///< of ImageNet's pictures
};

}  // namespace images
