// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace images {

/// A picture of 8 bits a colour.
struct RgbPicture {
  std::size_t width = 0, height = 0;
  std::vector<std::uint8_t> values{};  ///< [height, width, 3]: red, green, blue

  [[nodiscard]] bool operator==(RgbPicture const&) const = default;
};

/// A rectangle of pixels of a picture; the upper left one is (0, 0).
struct PixelBox {
  std::size_t left = 0, top = 0, width = 0, height = 0;

  [[nodiscard]] bool operator==(PixelBox const&) const = default;
};

}  // namespace images
