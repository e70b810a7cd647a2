// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/picture_source.hpp"
#include "images/pictures/picture_folder.hpp"
#include "images/pictures/rgb_picture.hpp"

#include <cstddef>
#include <span>

namespace images {

/// The pictures of a batch as a model sees them, side by side: \p columns in a row, black between them and where the
/// last row has no more. \p pictures is [count, channels, height, width], of 1 or 3 channels, normalized by \p norm,
/// which is undone; values outside of 0 to 1 become the nearest, and what is no number black. \p columns is not 0.
/// \throws std::invalid_argument where \p pictures is not a whole number of them, or none.
[[nodiscard]] RgbPicture picture_grid(std::span<float const> pictures, PictureSize const& size, ColourNorm const& norm,
                                      std::size_t columns);

}  // namespace images
