// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/resample.hpp"

#include "images/pictures/encode.hpp"
#include "images/pictures/folder.hpp"
#include "images/pictures/write_png.hpp"
#include "run_command.hpp"
#include "skip.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

namespace images_pictures_resample_test {

namespace {

using namespace images;         // NOLINT(google-build-using-namespace)
using namespace pictures_test;  // NOLINT(google-build-using-namespace)

/// A part of a picture, and what it is resized to.
struct Case {
  PixelBox from{};
  std::size_t width = 0, height = 0;
};

// Of a picture of 97 x 71 pixels: smaller, larger, one direction alone, as it is, a pixel, and parts at each border.
std::vector<Case> const cases{{{0, 0, 97, 71}, 32, 32},  {{0, 0, 97, 71}, 224, 224}, {{0, 0, 97, 71}, 97, 20},
                              {{0, 0, 97, 71}, 20, 71},  {{0, 0, 97, 71}, 97, 71},   {{0, 0, 97, 71}, 1, 1},
                              {{0, 0, 97, 71}, 200, 13}, {{13, 7, 50, 40}, 31, 33},  {{47, 31, 50, 40}, 64, 64},
                              {{96, 70, 1, 1}, 8, 8},    {{5, 0, 90, 3}, 7, 9},      {{0, 0, 97, 71}, 96, 70}};

/// The triangle filter in double precision, of all inputs, without rounding in between. From the definition: weights
/// are those of a triangle around the output's place, as wide as an output is in inputs, or two inputs.
double reference(RgbPicture const& picture, Case const& of, std::size_t x, std::size_t y, std::size_t channel) {
  auto const weight = [](std::size_t at, std::size_t inputs, std::size_t outputs, std::size_t input) {
    double const scale = static_cast<double>(inputs) / static_cast<double>(outputs);
    double const place = (static_cast<double>(at) + 0.5) * scale;
    double const distance = std::abs(static_cast<double>(input) + 0.5 - place) / std::max(scale, 1.0);
    return std::max(0.0, 1.0 - distance);
  };
  double sum = 0.0, weights = 0.0;
  for (std::size_t v = 0; v < of.from.height; ++v) {
    for (std::size_t u = 0; u < of.from.width; ++u) {
      double const both = weight(x, of.from.width, of.width, u) * weight(y, of.from.height, of.height, v);
      auto const at = (of.from.top + v) * picture.width + of.from.left + u;
      sum += both * picture.values[3 * at + channel];
      weights += both;
    }
  }
  return sum / weights;
}

Bytes read_all(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

RgbPicture resized(RgbPicture const& picture, Case const& c) {
  return resize(picture, c.from, c.width, c.height, {0, 0, c.width, c.height});
}

}  // namespace

TEST_CASE("resizing is a triangle filter, with a rounding in each direction") {
  auto const picture = pattern(97, 71, 4);
  for (auto const& c : cases) {
    auto const made = resized(picture, c);
    REQUIRE(made.values.size() == 3 * c.width * c.height);
    double worst = 0.0;
    for (std::size_t y = 0; y < c.height; y += 3) {
      for (std::size_t x = 0; x < c.width; x += 3) {
        for (std::size_t channel = 0; channel < 3; ++channel) {
          double const value = made.values[3 * (y * c.width + x) + channel];
          worst = std::max(worst, std::abs(value - reference(picture, c, x, y, channel)));
        }
      }
    }
    CAPTURE(c.width);
    CAPTURE(c.height);
    CHECK(worst <= 1.01);  // half of one by each rounding, and the weights'
  }
}

TEST_CASE("a window of a resized picture has the bits of the whole") {
  auto const picture = pattern(97, 71, 4);
  for (auto const& c : cases) {
    if (c.width < 8 || c.height < 8) continue;
    auto const all = resized(picture, c);
    PixelBox const window{c.width / 4, c.height / 3, c.width / 2, c.height / 2};
    auto const part = resize(picture, c.from, c.width, c.height, window);
    CHECK(part == resize(all, window, window.width, window.height, {0, 0, window.width, window.height}));
  }
}

TEST_CASE("pixels outside of the part play no part") {
  auto const picture = pattern(97, 71, 4);
  auto changed = picture;
  PixelBox const from{13, 7, 50, 40};
  for (std::size_t y = 0; y < 71; ++y) {
    for (std::size_t x = 0; x < 97; ++x) {
      bool const is_inside = x >= 13 && x < 63 && y >= 7 && y < 47;
      if (!is_inside) changed.values[3 * (y * 97 + x) + 1] ^= 0xFFU;
    }
  }
  CHECK(resized(picture, {from, 31, 33}) == resized(changed, {from, 31, 33}));
  CHECK_FALSE(resized(picture, {{12, 7, 50, 40}, 31, 33}) == resized(changed, {{12, 7, 50, 40}, 31, 33}));
}

TEST_CASE("resizing has the bits of Pillow's" * doctest::test_suite("pillow")) {
  Folder const folder;
  auto const picture = pattern(97, 71, 4);
  auto const file = folder.path("picture.png");
  write_png(file, picture);
  std::ofstream lines(folder.path("cases"));
  for (auto const& [from, width, height] : cases) {
    lines << from.left << ' ' << from.top << ' ' << from.width << ' ' << from.height << ' ' << width << ' ' << height
          << '\n';
  }
  lines.close();
  auto const outcome = zero_test::run_command(zero_test::python() + " " ZERO_TEST_PILLOW " resize '" + file + "' '" +
                                              folder.path("cases") + "' 2>&1");
  if (outcome.code == 77) ZERO_SKIP("the Python of ZERO_TEST_PYTHON has no Pillow");
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  for (std::size_t n = 0; n < cases.size(); ++n) {
    CAPTURE(n);
    auto const expected = read_all(file + "." + std::to_string(n) + ".rgb");
    auto const made = resized(picture, cases[n]).values;
    CHECK((made == expected));
    auto const either = read_all(file + "." + std::to_string(n) + ".either.rgb");
    REQUIRE(made.size() == either.size());
    int worst = 0;
    for (std::size_t i = 0; i < made.size(); ++i) worst = std::max(worst, std::abs(made[i] - either[i]));
    CHECK(worst <= 1);
  }
}

}  // namespace images_pictures_resample_test
