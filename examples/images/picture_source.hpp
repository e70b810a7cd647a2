// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "colour_norm.hpp"
#include "training/counter_random.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace images {

/// Of a picture as a model sees it.
struct PictureSize {
  std::size_t channels = 3, height = 32, width = 32;

  [[nodiscard]] std::size_t values() const noexcept { return channels * height * width; }
};

/// Pictures with classes. Any thread may read.
class PictureSource {
 public:
  PictureSource() = default;
  PictureSource(PictureSource const&) = delete;
  PictureSource& operator=(PictureSource const&) = delete;
  virtual ~PictureSource() = default;

  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual PictureSize picture_size() const = 0;
  [[nodiscard]] virtual std::vector<std::string> const& classes() const = 0;
  /// By which `read` normalizes.
  [[nodiscard]] virtual ColourNorm const& norm() const = 0;
  /// What tells these pictures from others.
  [[nodiscard]] virtual std::uint64_t hash() const = 0;

  /// Writes picture \p i into \p into, normalized, [channels, height, width], and returns its class. \p draws: changed
  /// as these numbers say, for training; null: as it is. \throws DataError.
  virtual std::int64_t read(std::size_t i, training::CounterRandom const* draws, std::span<float> into) const = 0;
};

/// Which pictures of a folder.
enum class PictureSplit : std::uint8_t { train, validation };

/// Whether \p folder holds CIFAR's binary version.
[[nodiscard]] bool is_cifar(std::string const& folder);

/// CIFAR's binary version, of 10 or of 100 classes: Krizhevsky, "Learning Multiple Layers of Features from Tiny
/// Images", 2009. Null where \p folder is none. \throws DataError where it is one that is damaged.
[[nodiscard]] std::shared_ptr<PictureSource const> open_cifar(std::string const& folder, PictureSplit split);

}  // namespace images
