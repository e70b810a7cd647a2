// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/crops.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace images {
namespace {

constexpr double smallest_area = 0.08, largest_area = 1.0;
constexpr double narrowest = 3.0 / 4.0, widest = 4.0 / 3.0;
constexpr std::uint64_t tries = 10, draws_of_a_try = 4;

double between(double low, double high, double uniform) { return low + (high - low) * uniform; }

/// A multiple of 1, halves to even, as Python rounds.
std::size_t whole_number(double value) { return static_cast<std::size_t>(std::nearbyint(value)); }

/// The largest part in the middle whose ratio is allowed.
PixelBox middle(std::size_t width, std::size_t height) {
  double const ratio = static_cast<double>(width) / static_cast<double>(height);
  std::size_t w = width, h = height;
  if (ratio < narrowest) h = std::min(height, whole_number(static_cast<double>(width) / narrowest));
  if (ratio > widest) w = std::min(width, whole_number(static_cast<double>(height) * widest));
  return {(width - w) / 2, (height - h) / 2, w, h};
}

}  // namespace

PixelBox random_crop(std::size_t width, std::size_t height, training::CounterRandom const& draws) {
  double const area = static_cast<double>(width) * static_cast<double>(height);
  for (std::uint64_t n = 0; n < tries; ++n) {
    auto const first = n * draws_of_a_try;
    double const target = area * between(smallest_area, largest_area, draws.uniform(first));
    double const ratio = std::exp(between(std::log(narrowest), std::log(widest), draws.uniform(first + 1)));
    auto const w = whole_number(std::sqrt(target * ratio)), h = whole_number(std::sqrt(target / ratio));
    if (w == 0 || h == 0 || w > width || h > height) continue;
    return {draws.below(first + 2, width - w + 1), draws.below(first + 3, height - h + 1), w, h};
  }
  return middle(width, height);
}

CenterCrop center_crop(std::size_t width, std::size_t height, std::size_t size) {
  std::size_t const shorter = size * 256 / 224;
  auto const longer = [&](std::size_t of, std::size_t other) { return shorter * of / other; };
  CenterCrop crop{shorter, shorter, {}};
  if (width > height) crop.width = longer(width, height);
  if (height > width) crop.height = longer(height, width);
  // Halves to even, as Python rounds.
  auto const begin = [size](std::size_t all) { return whole_number(static_cast<double>(all - size) / 2.0); };
  crop.window = {begin(crop.width), begin(crop.height), size, size};
  return crop;
}

}  // namespace images
