// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "images/pictures/rgb_picture.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace images {

/// A picture that cannot be decoded. `what()` says why, in one line, without the file's name.
class DecodeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Pixels that Pillow's `Image.open` refuses a picture above: 2^28 bytes of 3 channels, twice.
inline constexpr std::uint64_t usual_most_pixels = 178'956'970;

enum class PictureFormat : std::uint8_t { jpeg, png };

/// What the beginning of a file says.
struct PictureHeader {
  PictureFormat format = PictureFormat::jpeg;
  std::size_t width = 0, height = 0;

  [[nodiscard]] bool operator==(PictureHeader const&) const = default;
};

/// Reads what \p file says of itself, by its content: a file's name plays no part. \p file may end behind the header.
/// \throws DecodeError where it is neither JPEG nor PNG, its header is damaged or cut off, it has no pixels, or more
/// than \p most_pixels.
[[nodiscard]] PictureHeader read_header(std::span<std::uint8_t const> file, std::uint64_t most_pixels);

/// Decodes a JPEG file, as Pillow does: with libjpeg's accurate integer DCT and smooth upsampling. Greyscale has the
/// same value in all channels; CMYK and YCCK become RGB as Pillow's `convert` has it, inverted as Adobe's programs
/// write it. An orientation in EXIF plays no part, as in torchvision's ImageFolder. A file that ends too early is
/// refused; damage that libjpeg decodes through gives what it gives. Takes memory only once the header is known.
/// \throws DecodeError.
[[nodiscard]] RgbPicture decode_jpeg(std::span<std::uint8_t const> file, std::uint64_t most_pixels);

/// Decodes a PNG file: palettes become colours, of 16 bits the upper 8 remain, and transparency is dropped, as by
/// Pillow's `convert("RGB")`: the colour below it stays. Takes memory only once the header is known. \throws
/// DecodeError.
[[nodiscard]] RgbPicture decode_png(std::span<std::uint8_t const> file, std::uint64_t most_pixels);

/// Decodes a file of either kind, by its content. \throws DecodeError.
[[nodiscard]] RgbPicture decode(std::span<std::uint8_t const> file, std::uint64_t most_pixels);

}  // namespace images
