// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/rgb_picture.hpp"

#include "training/counter_random.hpp"

#include <cstddef>

namespace images {

/// The part of a picture of \p width x \p height pixels that training takes, as torchvision's RandomResizedCrop has it:
/// 0.08 to 1 of the area, 3/4 to 4/3 wide for high, ten tries, then the middle. Takes numbers 0 to 39 of \p draws.
[[nodiscard]] PixelBox random_crop(std::size_t width, std::size_t height, training::CounterRandom const& draws);

/// How an evaluation takes the middle of a picture.
struct CenterCrop {
  std::size_t width = 0, height = 0;  ///< that the picture is resized to first
  PixelBox window{};                  ///< of it
};

/// torchvision's Resize(size * 256 / 224) of the shorter side and CenterCrop(size), with its rounding.
[[nodiscard]] CenterCrop center_crop(std::size_t width, std::size_t height, std::size_t size);

}  // namespace images
