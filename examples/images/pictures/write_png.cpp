// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/write_png.hpp"

#include "images/pictures/png_session.hpp"
#include "images/pictures/shown_name.hpp"

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <png.h>

#include <cerrno>
#include <stdexcept>

namespace images {
namespace {

/// Nothing here has a destructor. Whether it could.
bool write(PngSession& session, std::FILE* file, std::uint8_t const* values, std::size_t width, std::size_t height) {
  session.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &session, leave_png, ignore_png_warning);
  if (session.png == nullptr) return false;
  if (setjmp(png_jmpbuf(session.png)) != 0) return false;  // NOLINT(cert-err52-cpp): the way out of libpng
  session.info = png_create_info_struct(session.png);
  if (session.info == nullptr) png_error(session.png, "there is no memory");
  png_init_io(session.png, file);
  png_set_IHDR(session.png, session.info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
               PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(session.png, session.info);
  for (std::size_t y = 0; y < height; ++y) png_write_row(session.png, values + 3 * width * y);
  png_write_end(session.png, nullptr);
  return true;
}

}  // namespace

void write_png(std::string const& path, RgbPicture const& picture) {
  errno = 0;
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) throw std::runtime_error(shown_name(path) + ": cannot be written: " + std::strerror(errno));
  PngSession session;
  bool const is_written = write(session, file, picture.values.data(), picture.width, picture.height);
  png_destroy_write_struct(&session.png, &session.info);
  bool const is_closed = std::fclose(file) == 0;
  if (is_written && is_closed) return;
  (void)std::remove(path.c_str());
  throw std::runtime_error(shown_name(path) +
                           ": cannot be written: " + (is_written ? "is the disk full?" : session.message.data()));
}

}  // namespace images
