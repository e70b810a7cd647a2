// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/decode.hpp"
#include "images/pictures/png_session.hpp"

#include <csetjmp>
#include <cstring>

#include <png.h>

#include <string>

namespace images {
namespace {

/// Of one file that is read.
struct Session : PngSession {
  std::uint8_t const* at = nullptr;
  std::uint8_t const* end = nullptr;
};

void give_bytes(png_structp png, png_bytep into, std::size_t bytes) {
  auto& session = *static_cast<Session*>(png_get_io_ptr(png));
  if (static_cast<std::size_t>(session.end - session.at) < bytes) png_error(png, "the file ends too early");
  std::memcpy(into, session.at, bytes);
  session.at += bytes;
}

/// Reads the header, and chooses the conversions. Nothing here has a destructor. Whether it could.
bool begin(Session& session) {
  session.png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, static_cast<PngSession*>(&session), leave_png, ignore_png_warning);
  if (session.png == nullptr) return false;
  if (setjmp(png_jmpbuf(session.png)) != 0) return false;  // NOLINT(cert-err52-cpp): the way out of libpng
  session.info = png_create_info_struct(session.png);
  if (session.info == nullptr) png_error(session.png, "there is no memory");
  png_set_read_fn(session.png, &session, give_bytes);
  png_read_info(session.png, session.info);
  png_set_expand(session.png);  // palettes, and greyscale of less than 8 bits
  png_set_strip_16(session.png);
  png_set_strip_alpha(session.png);
  png_set_gray_to_rgb(session.png);
  return true;
}

/// Decodes into \p rows. Nothing here has a destructor. Whether it could.
bool decode_rows(Session& session, std::uint8_t* rows, std::size_t height, std::size_t row_bytes) {
  if (setjmp(png_jmpbuf(session.png)) != 0) return false;  // NOLINT(cert-err52-cpp): the way out of libpng
  int const passes = png_set_interlace_handling(session.png);
  png_read_update_info(session.png, session.info);
  if (png_get_rowbytes(session.png, session.info) != row_bytes) png_error(session.png, "its rows have another length");
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < height; ++y) png_read_row(session.png, rows + y * row_bytes, nullptr);
  }
  png_read_end(session.png, nullptr);  // sums of the last chunks, too
  return true;
}

/// Ends the session in any case.
class Decompression {
 public:
  explicit Decompression(std::span<std::uint8_t const> file) {
    session_.at = file.data();
    session_.end = file.data() + file.size();
    if (!begin(session_)) fail();
  }
  Decompression(Decompression const&) = delete;
  Decompression& operator=(Decompression const&) = delete;
  ~Decompression() { end(); }

  void decode(RgbPicture& picture) {
    if (!decode_rows(session_, picture.values.data(), picture.height, 3 * picture.width)) fail();
  }

 private:
  void end() { png_destroy_read_struct(&session_.png, &session_.info, nullptr); }
  /// Ends the session: the constructor's failure has no destructor.
  [[noreturn]] void fail() {
    end();
    throw DecodeError("cannot be decoded as PNG: " + std::string(session_.message.data()));
  }

  Session session_{};
};

}  // namespace

RgbPicture decode_png(std::span<std::uint8_t const> file, std::uint64_t most_pixels) {
  auto const header = read_header(file, most_pixels);
  Decompression decompression(file);
  RgbPicture picture{header.width, header.height, {}};
  picture.values.resize(3 * header.width * header.height);
  decompression.decode(picture);
  return picture;
}

}  // namespace images
