// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/decode.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace images {
namespace {

using Bytes = std::span<std::uint8_t const>;

constexpr std::array<std::uint8_t, 8> png_signature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

std::size_t big_endian(Bytes bytes) {
  std::size_t value = 0;
  for (auto const byte : bytes) value = value << 8U | byte;
  return value;
}

bool begins_with(Bytes file, Bytes what) {
  return file.size() >= what.size() && std::equal(what.begin(), what.end(), file.begin());
}

PictureHeader header_of_png(Bytes file) {
  constexpr std::size_t width_at = 16, end = 24;
  if (file.size() < end) throw DecodeError("is a PNG file that ends within its header");
  constexpr std::array<std::uint8_t, 4> first_chunk{'I', 'H', 'D', 'R'};
  if (!begins_with(file.subspan(12), first_chunk)) throw DecodeError("is a PNG file with a damaged header");
  return {PictureFormat::png, big_endian(file.subspan(width_at, 4)), big_endian(file.subspan(width_at + 4, 4))};
}

/// The markers that begin a frame: SOF0 to SOF15 without DHT, JPG and DAC, which lie among them.
bool begins_frame(std::uint8_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Markers that have no length.
bool stands_alone(std::uint8_t marker) { return marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8); }

PictureHeader header_of_jpeg(Bytes file) {
  std::size_t at = 2;
  for (;;) {
    // Anything before a marker is skipped as libjpeg does, which warns of it.
    while (at < file.size() && file[at] != 0xFF) ++at;
    while (at < file.size() && file[at] == 0xFF) ++at;
    if (at >= file.size()) break;
    auto const marker = file[at++];
    if (marker == 0x00 || stands_alone(marker)) continue;
    if (marker == 0xD9 || marker == 0xDA) throw DecodeError("is a JPEG file without the header of a picture");
    if (file.size() - at < 2) break;
    auto const length = big_endian(file.subspan(at, 2));
    if (length < 2) throw DecodeError("is a JPEG file with a damaged header");
    if (begins_frame(marker)) {
      if (file.size() - at < 7) break;
      return {PictureFormat::jpeg, big_endian(file.subspan(at + 5, 2)), big_endian(file.subspan(at + 3, 2))};
    }
    if (file.size() - at < length) break;
    at += length;
  }
  throw DecodeError("is a JPEG file that ends within its header");
}

std::optional<PictureFormat> format_of(Bytes file) {
  constexpr std::array<std::uint8_t, 3> jpeg_begin{0xFF, 0xD8, 0xFF};
  if (begins_with(file, png_signature)) return PictureFormat::png;
  if (begins_with(file, jpeg_begin)) return PictureFormat::jpeg;
  return std::nullopt;
}

}  // namespace

PictureHeader read_header(Bytes file, std::uint64_t most_pixels) {
  if (file.empty()) throw DecodeError("is empty");
  auto const format = format_of(file);
  if (!format) throw DecodeError("is neither a JPEG nor a PNG file, by its first bytes");
  auto const header = *format == PictureFormat::png ? header_of_png(file) : header_of_jpeg(file);
  auto const size = std::to_string(header.width) + " x " + std::to_string(header.height) + " pixels";
  if (header.width == 0 || header.height == 0) throw DecodeError("has " + size);
  if (header.height > most_pixels / header.width) {
    throw DecodeError("has " + size + ", more than the " + std::to_string(most_pixels) + " that are allowed");
  }
  return header;
}

RgbPicture decode(Bytes file, std::uint64_t most_pixels) {
  auto const header = read_header(file, most_pixels);
  return header.format == PictureFormat::png ? decode_png(file, most_pixels) : decode_jpeg(file, most_pixels);
}

}  // namespace images
