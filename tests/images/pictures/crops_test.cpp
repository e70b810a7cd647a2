// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/crops.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

namespace images_pictures_crops_test {

namespace {

using namespace images;  // NOLINT(google-build-using-namespace)
using training::CounterRandom;

}  // namespace

TEST_CASE("random crops lie in the picture, and have the areas and ratios of torchvision's") {
  double least = 1.0, most = 0.0, narrowest = 9.0, widest = 0.0, sum = 0.0;
  bool touches_left = false, touches_right = false;
  int const count = 4000;
  for (int n = 0; n < count; ++n) {
    auto const crop = random_crop(400, 300, CounterRandom(5).with(static_cast<std::uint64_t>(n)));
    REQUIRE(crop.left + crop.width <= 400);
    REQUIRE(crop.top + crop.height <= 300);
    double const area = static_cast<double>(crop.width * crop.height) / (400.0 * 300.0);
    double const ratio = static_cast<double>(crop.width) / static_cast<double>(crop.height);
    least = std::min(least, area);
    most = std::max(most, area);
    narrowest = std::min(narrowest, ratio);
    widest = std::max(widest, ratio);
    sum += area;
    touches_left = touches_left || crop.left == 0;
    touches_right = touches_right || crop.left + crop.width == 400;
  }
  CHECK(least > 0.079);
  CHECK(least < 0.09);
  CHECK(most > 0.9);
  CHECK(narrowest > 0.74);
  CHECK(narrowest < 0.77);
  CHECK(widest < 1.35);
  CHECK(widest > 1.30);
  CHECK(sum / count > 0.4);  // uniform, but for large ones that do not fit
  CHECK(sum / count < 0.54);
  CHECK(touches_left);
  CHECK(touches_right);
}

TEST_CASE("a picture that no crop fits gives its middle, of the nearest ratio") {
  CounterRandom const draws(1);
  CHECK(random_crop(1000, 3, draws) == PixelBox{498, 0, 4, 3});
  CHECK(random_crop(3, 1000, draws) == PixelBox{0, 498, 3, 4});
  CHECK(random_crop(1, 1000, draws) == PixelBox{0, 499, 1, 1});
  CHECK(random_crop(1, 1, draws) == PixelBox{0, 0, 1, 1});
}

TEST_CASE("an evaluation takes the middle of the picture, as torchvision does") {
  auto const wide = center_crop(500, 375, 224);
  CHECK(wide.width == 341);  // int(256 * 500 / 375)
  CHECK(wide.height == 256);
  CHECK(wide.window == PixelBox{58, 16, 224, 224});  // round(58.5) to even
  auto const high = center_crop(375, 503, 224);
  CHECK(high.width == 256);
  CHECK(high.height == 343);
  CHECK(high.window == PixelBox{16, 60, 224, 224});  // round(59.5) to even
  auto const small = center_crop(10, 10, 96);
  CHECK(small.width == 109);
  CHECK(small.window == PixelBox{6, 6, 96, 96});  // round(6.5) to even
}

}  // namespace images_pictures_crops_test
