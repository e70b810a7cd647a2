// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/rgb_picture.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pictures_test {

using Bytes = std::vector<std::uint8_t>;

/// How a PNG file of a test is made.
struct PngForm {
  int colour_type = 2;  ///< libpng's: 0 greyscale, 2 RGB, 3 palette, 4 greyscale and alpha, 6 RGB and alpha
  int depth = 8;        ///< bits of a channel
  bool is_interlaced = false;
};

/// A PNG file of \p rows, as libpng has them in this form.
[[nodiscard]] Bytes encode_png(std::size_t width, std::size_t height, PngForm const& form, Bytes const& rows,
                               std::size_t row_bytes);

/// How a JPEG file of a test is made.
struct JpegForm {
  int channels = 3;  ///< of the values: 1 greyscale, 3 RGB, 4 CMYK
  bool is_ycck = false;
  bool is_progressive = false;
  bool is_subsampled = true;
  int quality = 90;
  std::size_t leading_bytes = 0;  ///< of a comment before the picture
};

/// A JPEG file of \p values, [height, width, channels].
[[nodiscard]] Bytes encode_jpeg(std::size_t width, std::size_t height, JpegForm const& form, Bytes const& values);

/// A picture with smooth and sharp parts, another one for each \p seed.
[[nodiscard]] images::RgbPicture pattern(std::size_t width, std::size_t height, unsigned seed);

void write_file(std::string const& path, Bytes const& bytes);

}  // namespace pictures_test
