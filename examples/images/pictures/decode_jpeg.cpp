// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/decode.hpp"

#include <csetjmp>
#include <cstdio>  // before jpeglib.h, which needs it

#include <jerror.h>
#include <jpeglib.h>

#include <array>
#include <string>

namespace images {
namespace {

// A progressive file can ask for any number of passes over the whole picture; those of encoders have about ten.
constexpr int most_scans = 500;

/// Of one decompression. What libjpeg calls finds it by `client_data`.
struct Session {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf leave{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

Session& session_of(j_common_ptr jpeg) { return *static_cast<Session*>(jpeg->client_data); }

/// libjpeg's functions are C: they are left by a jump, which passes no object with a destructor.
[[noreturn]] void leave(j_common_ptr jpeg) {
  auto& session = session_of(jpeg);
  session.errors.format_message(jpeg, session.message.data());
  std::longjmp(session.leave, 1);
}

/// Of its warnings one is fatal: libjpeg fills a picture whose file ends too early with grey.
void hear(j_common_ptr jpeg, int level) {
  if (level < 0 && session_of(jpeg).errors.msg_code == JWRN_JPEG_EOF) leave(jpeg);
}

void count_scans(j_common_ptr jpeg) {
  auto& session = session_of(jpeg);
  if (session.jpeg.input_scan_number <= most_scans) return;
  std::snprintf(session.message.data(), session.message.size(), "more than %d scans", most_scans);
  std::longjmp(session.leave, 1);
}

/// Reads the header, and chooses the colours. Nothing here has a destructor. Whether it could.
bool begin(Session& session, unsigned char const* file, unsigned long bytes) {
  if (setjmp(session.leave) != 0) return false;  // NOLINT(cert-err52-cpp): the way out of libjpeg
  auto& jpeg = session.jpeg;
  jpeg.err = jpeg_std_error(&session.errors);
  session.errors.error_exit = leave;
  session.errors.emit_message = hear;
  jpeg.client_data = &session;
  jpeg_create_decompress(&jpeg);
  session.progress.progress_monitor = count_scans;
  jpeg.progress = &session.progress;
  jpeg_mem_src(&jpeg, file, bytes);
  jpeg_read_header(&jpeg, TRUE);
  bool const has_black = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  jpeg.out_color_space = has_black ? JCS_CMYK : JCS_RGB;
  return true;
}

/// Decodes into \p rows, of \p row_bytes each. Nothing here has a destructor. Whether it could.
bool decode_rows(Session& session, unsigned char* rows, std::size_t row_bytes) {
  if (setjmp(session.leave) != 0) return false;  // NOLINT(cert-err52-cpp): the way out of libjpeg
  auto& jpeg = session.jpeg;
  jpeg_start_decompress(&jpeg);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = rows + jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

/// Ends the session in any case.
class Decompression {
 public:
  explicit Decompression(std::span<std::uint8_t const> file) {
    // No file is longer than an unsigned long can count.
    if (!begin(session_, file.data(), static_cast<unsigned long>(file.size()))) fail();
  }
  Decompression(Decompression const&) = delete;
  Decompression& operator=(Decompression const&) = delete;
  ~Decompression() { jpeg_destroy_decompress(&session_.jpeg); }

  [[nodiscard]] jpeg_decompress_struct const& header() const { return session_.jpeg; }
  [[nodiscard]] std::size_t channels() const { return session_.jpeg.out_color_space == JCS_CMYK ? 4 : 3; }
  void decode(std::span<std::uint8_t> values) {
    if (!decode_rows(session_, values.data(), header().image_width * channels())) fail();
  }

 private:
  [[noreturn]] void fail() {
    std::string const why = session_.message.data();
    jpeg_destroy_decompress(&session_.jpeg);  // the constructor's failure has no destructor; twice does no harm
    throw DecodeError("cannot be decoded as JPEG: " + why);
  }

  Session session_{};
};

/// 255 * \p value / 255 of \p scale, rounded as Pillow does.
std::uint8_t scaled(unsigned value, unsigned scale) {
  auto const product = value * scale + 128;
  return static_cast<std::uint8_t>((product + (product >> 8U)) >> 8U);
}

/// Of inverted CMYK, as Adobe's programs write it: 255 is no ink.
void take_black(std::span<std::uint8_t const> inverted, std::span<std::uint8_t> rgb) {
  for (std::size_t i = 0; 3 * i < rgb.size(); ++i) {
    unsigned const light = inverted[4 * i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = static_cast<std::uint8_t>(light - scaled(255U - inverted[4 * i + c], light));
    }
  }
}

}  // namespace

RgbPicture decode_jpeg(std::span<std::uint8_t const> file, std::uint64_t most_pixels) {
  auto const header = read_header(file, most_pixels);
  Decompression decompression(file);
  RgbPicture picture{header.width, header.height, {}};
  if (decompression.header().image_width != header.width || decompression.header().image_height != header.height) {
    throw DecodeError("is a JPEG file with two headers of different sizes");
  }
  auto const pixels = header.width * header.height;
  picture.values.resize(3 * pixels);
  if (decompression.channels() == 3) {
    decompression.decode(picture.values);
  } else {
    std::vector<std::uint8_t> inks(4 * pixels);
    decompression.decode(inks);
    take_black(inks, picture.values);
  }
  return picture;
}

}  // namespace images
