// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/encode.hpp"

#include <zero/utility/split_mix.hpp>

#include <cmath>
#include <cstdio>

#include <jpeglib.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace pictures_test {
namespace {

[[noreturn]] void die(png_structp /*png*/, png_const_charp why) {
  std::fprintf(stderr, "encode_png: %s\n", why);
  std::abort();
}

void append(png_structp png, png_bytep bytes, std::size_t count) {
  auto& into = *static_cast<Bytes*>(png_get_io_ptr(png));
  into.insert(into.end(), bytes, bytes + count);
}

void flush(png_structp /*png*/) {}

/// The grey values 0 to 255, with a red that is always 7.
std::array<png_color, 256> palette_of_greys() {
  std::array<png_color, 256> palette{};
  for (std::size_t i = 0; i < palette.size(); ++i) {
    palette[i] = {7, static_cast<png_byte>(i), static_cast<png_byte>(255 - i)};
  }
  return palette;
}

J_COLOR_SPACE space_of(int channels) {
  if (channels == 1) return JCS_GRAYSCALE;
  return channels == 3 ? JCS_RGB : JCS_CMYK;
}

void choose(jpeg_compress_struct& jpeg, JpegForm const& form) {
  jpeg.input_components = form.channels;
  jpeg.in_color_space = space_of(form.channels);
  jpeg_set_defaults(&jpeg);
  if (form.is_ycck) jpeg_set_colorspace(&jpeg, JCS_YCCK);
  if (!form.is_subsampled) {
    for (int c = 0; c < form.channels; ++c) jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
  }
  jpeg_set_quality(&jpeg, form.quality, TRUE);
  if (form.is_progressive) jpeg_simple_progression(&jpeg);
}

}  // namespace

Bytes encode_png(std::size_t width, std::size_t height, PngForm const& form, Bytes const& rows, std::size_t row_bytes) {
  Bytes file;
  auto* png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, die, nullptr);
  auto* info = png_create_info_struct(png);
  png_set_write_fn(png, &file, append, flush);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), form.depth,
               form.colour_type, form.is_interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  auto const palette = palette_of_greys();
  if (form.colour_type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette.data(), 1 << form.depth);
  png_write_info(png, info);
  auto copy = rows;  // libpng takes rows that it may write to
  std::vector<png_bytep> pointers;
  for (std::size_t y = 0; y < height; ++y) pointers.push_back(copy.data() + y * row_bytes);
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

Bytes encode_jpeg(std::size_t width, std::size_t height, JpegForm const& form, Bytes const& values) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);  // which ends the test where it fails
  jpeg_create_compress(&jpeg);
  unsigned char* memory = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&jpeg, &memory, &bytes);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  choose(jpeg, form);
  jpeg_start_compress(&jpeg, TRUE);
  Bytes const comment(60'000, 'c');
  for (std::size_t left = form.leading_bytes; left > 0;) {
    auto const part = std::min(left, comment.size());
    jpeg_write_marker(&jpeg, JPEG_COM, comment.data(), static_cast<unsigned>(part));
    left -= part;
  }
  auto copy = values;  // libjpeg takes rows that it may write to
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = copy.data() + jpeg.next_scanline * width * static_cast<std::size_t>(form.channels);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  Bytes file(memory, memory + bytes);
  std::free(memory);  // NOLINT(cppcoreguidelines-no-malloc): libjpeg has taken it so
  return file;
}

images::RgbPicture pattern(std::size_t width, std::size_t height, unsigned seed) {
  images::RgbPicture picture{width, height, {}};
  zero::SplitMix64 random(seed);
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      double const wave =
          127.5 + 127.5 * std::sin(0.11 * static_cast<double>(x + seed) + 0.07 * static_cast<double>(y));
      bool const is_dark = ((x / 5) + (y / 3)) % 2 == 0;
      picture.values.push_back(static_cast<std::uint8_t>(wave));
      picture.values.push_back(is_dark ? 10 : 240);
      picture.values.push_back(static_cast<std::uint8_t>(random()));
    }
  }
  return picture;
}

void write_file(std::string const& path, Bytes const& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<char const*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(path + ": cannot be written");
}

}  // namespace pictures_test
