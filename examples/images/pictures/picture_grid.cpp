// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/picture_grid.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace images {
namespace {

constexpr std::size_t gap = 2;  // pixels between pictures

std::uint8_t value_of(float normalized, float mean, float deviation) {
  float const value = (normalized * deviation + mean) * 255.0F;
  return std::isnan(value) ? std::uint8_t{0} : static_cast<std::uint8_t>(std::clamp(std::round(value), 0.0F, 255.0F));
}

/// Where a picture of the batch stands in the grid.
struct Place {
  std::size_t left = 0, top = 0;
};

void draw(std::span<float const> picture, PictureSize const& size, ColourNorm const& norm, Place const& place,
          RgbPicture& into) {
  auto const plane = size.height * size.width;
  for (std::size_t y = 0; y < size.height; ++y) {
    for (std::size_t x = 0; x < size.width; ++x) {
      auto* const pixel = into.values.data() + 3 * ((place.top + y) * into.width + place.left + x);
      for (std::size_t c = 0; c < 3; ++c) {
        auto const from = size.channels == 1 ? 0 : c;
        pixel[c] = value_of(picture[from * plane + y * size.width + x], norm.mean[from], norm.deviation[from]);
      }
    }
  }
}

}  // namespace

RgbPicture picture_grid(std::span<float const> pictures, PictureSize const& size, ColourNorm const& norm,
                        std::size_t columns) {
  auto const values = size.values();
  if ((size.channels != 1 && size.channels != 3) || values == 0 || pictures.empty() || pictures.size() % values != 0 ||
      columns == 0) {
    throw std::invalid_argument("images::picture_grid: no whole number of pictures, of 1 or 3 channels");
  }
  std::size_t const count = pictures.size() / values, wide = std::min(columns, count);
  std::size_t const high = (count + wide - 1) / wide;
  RgbPicture grid{wide * (size.width + gap) - gap, high * (size.height + gap) - gap, {}};
  grid.values.resize(3 * grid.width * grid.height);
  for (std::size_t i = 0; i < count; ++i) {
    Place const place{i % wide * (size.width + gap), i / wide * (size.height + gap)};
    draw(pictures.subspan(i * values, values), size, norm, place, grid);
  }
  return grid;
}

}  // namespace images
