// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/rgb_picture.hpp"

#include <cstddef>

namespace images {

/// Resizes the part \p from of \p picture to \p width x \p height pixels, and returns the part \p window of that: the
/// same bits as of the whole. Pixels outside of \p from play no part.
///
/// It is Pillow's `Image.resize` with BILINEAR, of columns and then of rows, to the bit: a triangle filter that widens
/// as the picture shrinks, with weights in fixed point of 22 bits and 8 bits in between (Pillow,
/// src/libImaging/Resample.c). Pillow 13 begins with the rows in some cases, as where they alone shrink: values differ
/// by at most 1 then. \p from lies in the picture, \p window in the result, and neither is empty.
[[nodiscard]] RgbPicture resize(RgbPicture const& picture, PixelBox const& from, std::size_t width, std::size_t height,
                                PixelBox const& window);

/// All of a picture.
[[nodiscard]] inline PixelBox whole(RgbPicture const& picture) { return {0, 0, picture.width, picture.height}; }

}  // namespace images
