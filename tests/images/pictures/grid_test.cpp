// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/picture_grid.hpp"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <stdexcept>
#include <vector>

namespace images_pictures_grid_test {

namespace {

using namespace images;  // NOLINT(google-build-using-namespace)

std::array<std::uint8_t, 3> pixel(RgbPicture const& picture, std::size_t x, std::size_t y) {
  auto const at = 3 * (y * picture.width + x);
  return {picture.values[at], picture.values[at + 1], picture.values[at + 2]};
}

using Pixel = std::array<std::uint8_t, 3>;

}  // namespace

TEST_CASE("a batch is drawn as it was before it was normalized") {
  ColourNorm const norm;
  std::vector<float> batch;  // three pictures of 4 x 3 pixels, each of one colour
  for (float const colour : {10.0F, 100.0F, 250.0F}) {
    for (std::size_t c = 0; c < 3; ++c) {
      batch.insert(batch.end(), 12, ((colour + static_cast<float>(c)) / 255.0F - norm.mean[c]) / norm.deviation[c]);
    }
  }
  auto const grid = picture_grid(batch, {3, 3, 4}, norm, 2);
  CHECK(grid.width == 10);  // 4 + 2 + 4
  CHECK(grid.height == 8);
  CHECK(pixel(grid, 0, 0) == Pixel{10, 11, 12});
  CHECK(pixel(grid, 3, 2) == Pixel{10, 11, 12});
  CHECK(pixel(grid, 4, 0) == Pixel{0, 0, 0});
  CHECK(pixel(grid, 6, 0) == Pixel{100, 101, 102});
  CHECK(pixel(grid, 0, 3) == Pixel{0, 0, 0});
  CHECK(pixel(grid, 0, 5) == Pixel{250, 251, 252});
  CHECK(pixel(grid, 6, 5) == Pixel{0, 0, 0});  // there is no fourth
  CHECK(picture_grid(batch, {3, 3, 4}, norm, 9).width == 16);
}

TEST_CASE("pixels are drawn where they stand, and what is out of range as the nearest") {
  ColourNorm const none{{0.0F, 0.0F, 0.0F}, {1.0F, 1.0F, 1.0F}};
  float const missing = std::numeric_limits<float>::quiet_NaN();
  // Two rows of two, by channel.
  std::vector<float> const one{0.0F, 1.0F, 0.2F, 0.4F, 2.0F, -1.0F, missing, 0.5F, 0.1F, 0.3F, 0.6F, 0.8F};
  auto const grid = picture_grid(one, {3, 2, 2}, none, 1);
  CHECK(pixel(grid, 0, 0) == Pixel{0, 255, 26});
  CHECK(pixel(grid, 1, 0) == Pixel{255, 0, 77});
  CHECK(pixel(grid, 0, 1) == Pixel{51, 0, 153});
  CHECK(pixel(grid, 1, 1) == Pixel{102, 128, 204});
  auto const grey = picture_grid(std::vector<float>{0.2F, 0.4F}, {1, 1, 2}, none, 1);
  CHECK(pixel(grey, 0, 0) == Pixel{51, 51, 51});
  CHECK(pixel(grey, 1, 0) == Pixel{102, 102, 102});
}

TEST_CASE("what is no batch is refused") {
  std::vector<float> const values(12);
  CHECK_THROWS_AS((void)picture_grid({}, {3, 2, 2}, {}, 1), std::invalid_argument);
  CHECK_THROWS_AS((void)picture_grid(values, {3, 2, 2}, {}, 0), std::invalid_argument);
  CHECK_THROWS_AS((void)picture_grid(values, {2, 2, 3}, {}, 1), std::invalid_argument);
  CHECK_THROWS_AS((void)picture_grid(values, {3, 1, 3}, {}, 1), std::invalid_argument);
}

}  // namespace images_pictures_grid_test
