// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace images {
namespace {

constexpr int precision = 32 - 8 - 2;  // bits of a weight's fraction: a sum of 8-bit values has room, and a sign

/// What one value of the result is a sum of.
struct Taps {
  std::size_t first = 0;                ///< of the inputs
  std::vector<std::int32_t> weights{};  ///< of it and those behind it, times 2^precision
};

/// Taps of outputs \p begin to \p begin + \p count, of \p outputs in all, over \p inputs. Pillow's precompute_coeffs
/// and normalize_coeffs_8bpc, operation by operation.
std::vector<Taps> taps_of(std::size_t inputs, std::size_t outputs, std::size_t begin, std::size_t count) {
  double const scale = static_cast<double>(inputs) / static_cast<double>(outputs);
  double const filter_scale = std::max(scale, 1.0);
  double const support = filter_scale;  // a triangle's half width is 1
  std::vector<Taps> all(count);
  std::vector<double> weights;
  for (std::size_t i = 0; i < count; ++i) {
    double const center = (static_cast<double>(begin + i) + 0.5) * scale;
    double const inverse = 1.0 / filter_scale;
    auto const first = static_cast<std::size_t>(std::max(center - support + 0.5, 0.0));
    auto const end = std::min(static_cast<std::size_t>(std::floor(center + support + 0.5)), inputs);
    weights.clear();
    double sum = 0.0;
    for (std::size_t x = first; x < end; ++x) {
      double const distance = std::abs((static_cast<double>(x) - center + 0.5) * inverse);
      weights.push_back(distance < 1.0 ? 1.0 - distance : 0.0);
      sum += weights.back();
    }
    all[i].first = first;
    for (double const weight : weights) {
      double const part = sum != 0.0 ? weight / sum : weight;
      all[i].weights.push_back(static_cast<std::int32_t>(std::floor(0.5 + part * (1 << precision))));
    }
  }
  return all;
}

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> precision, std::int32_t{0}, std::int32_t{255}));
}

/// One value for each of the three channels: \p step values lie between the inputs.
void sum_taps(Taps const& taps, std::uint8_t const* inputs, std::size_t step, std::uint8_t* into) {
  constexpr std::int32_t half = 1 << (precision - 1);
  std::int32_t red = half, green = half, blue = half;
  auto const* from = inputs + taps.first * step;
  for (auto const weight : taps.weights) {
    red += from[0] * weight;
    green += from[1] * weight;
    blue += from[2] * weight;
    from += step;
  }
  into[0] = rounded(red);
  into[1] = rounded(green);
  into[2] = rounded(blue);
}

std::uint8_t const* pixel(RgbPicture const& picture, std::size_t x, std::size_t y) {
  return picture.values.data() + 3 * (y * picture.width + x);
}

RgbPicture blank(std::size_t width, std::size_t height) {
  RgbPicture made{width, height, {}};
  made.values.resize(3 * width * height);
  return made;
}

RgbPicture copied(RgbPicture const& picture, PixelBox const& box) {
  auto part = blank(box.width, box.height);
  for (std::size_t y = 0; y < box.height; ++y) {
    std::copy_n(pixel(picture, box.left, box.top + y), 3 * box.width, part.values.data() + 3 * y * box.width);
  }
  return part;
}

/// Columns of the result over rows [\p top, \p top + \p rows) of \p from.
RgbPicture resize_columns(RgbPicture const& picture, PixelBox const& from, std::size_t width, PixelBox const& window,
                          std::size_t top, std::size_t rows) {
  if (width == from.width) {  // as Pillow does: no sums
    return copied(picture, {from.left + window.left, from.top + top, window.width, rows});
  }
  auto const taps = taps_of(from.width, width, window.left, window.width);
  auto made = blank(window.width, rows);
  for (std::size_t y = 0; y < rows; ++y) {
    auto const* const row = pixel(picture, from.left, from.top + top + y);
    auto* const into = made.values.data() + 3 * y * window.width;
    for (std::size_t x = 0; x < window.width; ++x) sum_taps(taps[x], row, 3, into + 3 * x);
  }
  return made;
}

/// Sums whole rows at once, as they lie in memory.
void sum_rows(Taps const& taps, std::uint8_t const* rows, std::size_t row_values, std::vector<std::int32_t>& sums,
              std::uint8_t* into) {
  sums.assign(row_values, 1 << (precision - 1));
  auto const* from = rows;
  for (auto const weight : taps.weights) {
    for (std::size_t i = 0; i < row_values; ++i) sums[i] += from[i] * weight;
    from += row_values;
  }
  for (std::size_t i = 0; i < row_values; ++i) into[i] = rounded(sums[i]);
}

}  // namespace

RgbPicture resize(RgbPicture const& picture, PixelBox const& from, std::size_t width, std::size_t height,
                  PixelBox const& window) {
  if (height == from.height) return resize_columns(picture, from, width, window, window.top, window.height);
  auto const taps = taps_of(from.height, height, window.top, window.height);
  std::size_t const top = taps.front().first, end = taps.back().first + taps.back().weights.size();
  auto const columns = resize_columns(picture, from, width, window, top, end - top);
  auto made = blank(window.width, window.height);
  std::vector<std::int32_t> sums;
  std::size_t const row_values = 3 * window.width;
  for (std::size_t y = 0; y < window.height; ++y) {
    sum_rows(taps[y], columns.values.data() + (taps[y].first - top) * row_values, row_values, sums,
             made.values.data() + y * row_values);
  }
  return made;
}

}  // namespace images
