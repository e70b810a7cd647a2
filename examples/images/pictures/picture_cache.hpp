// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/rgb_picture.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace images {

/// Keeps pictures by number, the first ones that it is given, until their bytes would be more than a budget. Nothing
/// leaves it: an epoch reads each picture once, in another order, so what was used last says nothing of what comes. Any
/// thread may call. What it keeps changes when a picture is decoded, and never its bits.
class PictureCache {
 public:
  using Picture = std::shared_ptr<RgbPicture const>;

  PictureCache(std::size_t numbers, std::uint64_t budget) : left_(budget), pictures_(budget == 0 ? 0 : numbers) {}

  /// The picture \p number; null where it is not kept.
  [[nodiscard]] Picture find(std::size_t number) const {
    if (number >= pictures_.size()) return nullptr;
    std::lock_guard const lock(mutex_);
    return pictures_[number];
  }

  /// Keeps \p picture, where there is room.
  void keep(std::size_t number, Picture const& picture) {
    if (number >= pictures_.size()) return;
    std::lock_guard const lock(mutex_);
    auto const bytes = picture->values.size() + sizeof(RgbPicture);
    if (pictures_[number] != nullptr || bytes > left_) return;
    left_ -= bytes;
    pictures_[number] = picture;
  }

  /// Bytes of the budget that are free.
  [[nodiscard]] std::uint64_t left() const {
    std::lock_guard const lock(mutex_);
    return left_;
  }

 private:
  mutable std::mutex mutex_{};
  std::uint64_t left_;
  std::vector<Picture> pictures_;
};

}  // namespace images
