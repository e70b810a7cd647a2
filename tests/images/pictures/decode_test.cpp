// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/decode.hpp"

#include "images/pictures/encode.hpp"
#include "images/pictures/folder.hpp"
#include "images/pictures/write_png.hpp"
#include "run_command.hpp"
#include "skip.hpp"

#include <zero/utility/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace images_pictures_decode_test {

namespace {

using namespace images;         // NOLINT(google-build-using-namespace)
using namespace pictures_test;  // NOLINT(google-build-using-namespace)

constexpr std::uint64_t many = usual_most_pixels;

/// What \p decode says against \p file; empty where it takes it.
std::string refusal(Bytes const& file, std::uint64_t most_pixels = many) {
  try {
    (void)decode(file, most_pixels);
  } catch (DecodeError const& error) {
    return error.what();
  }
  return "";
}

bool says(std::string const& text, std::string const& part) { return text.find(part) != std::string::npos; }

Bytes png_of(RgbPicture const& picture, bool is_interlaced = false) {
  return encode_png(picture.width, picture.height, {.is_interlaced = is_interlaced}, picture.values, 3 * picture.width);
}

/// The mean of absolute differences.
double distance(Bytes const& a, Bytes const& b) {
  REQUIRE(a.size() == b.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
  return sum / static_cast<double>(a.size());
}

Bytes read_all(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

/// Smooth, so that JPEG changes it little.
RgbPicture smooth(std::size_t width, std::size_t height) {
  RgbPicture picture{width, height, {}};
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      picture.values.push_back(static_cast<std::uint8_t>(40 + 3 * x));
      picture.values.push_back(static_cast<std::uint8_t>(200 - 4 * y));
      picture.values.push_back(static_cast<std::uint8_t>(90 + x + y));
    }
  }
  return picture;
}

}  // namespace

TEST_CASE("PNG: RGB, plain and interlaced, is what was written") {
  for (bool const is_interlaced : {false, true}) {
    auto const picture = pattern(37, 23, 1);
    CHECK(decode(png_of(picture, is_interlaced), many) == picture);
  }
}

TEST_CASE("PNG: greyscale of each depth is the same value in all channels") {
  for (int const depth : {1, 2, 4, 8}) {
    // Two rows of eight pixels with falling values.
    unsigned const most = (1U << static_cast<unsigned>(depth)) - 1;
    std::size_t const row_bytes = static_cast<std::size_t>(depth);
    Bytes rows(2 * row_bytes);
    Bytes expected;
    for (std::size_t p = 0; p < 16; ++p) {
      unsigned const value = (most + 16 - static_cast<unsigned>(p)) & most;
      auto const bit = (p % 8) * static_cast<std::size_t>(depth);
      auto& byte = rows[p / 8 * row_bytes + bit / 8];
      byte = static_cast<std::uint8_t>(byte | (value << (8 - static_cast<unsigned>(depth) - bit % 8)));
      expected.insert(expected.end(), 3, static_cast<std::uint8_t>(value * 255 / most));
    }
    CAPTURE(depth);
    CHECK(decode(encode_png(8, 2, {.colour_type = 0, .depth = depth}, rows, row_bytes), many).values == expected);
  }
}

TEST_CASE("PNG: of 16 bits the upper eight remain") {
  Bytes const rgb{1, 200, 2, 201, 3, 202, 255, 0, 128, 0, 64, 255};
  CHECK(decode(encode_png(2, 1, {.colour_type = 2, .depth = 16}, rgb, 12), many).values ==
        Bytes{1, 2, 3, 255, 128, 64});
  Bytes const grey{9, 255, 77, 0};
  CHECK(decode(encode_png(2, 1, {.colour_type = 0, .depth = 16}, grey, 4), many).values == Bytes{9, 9, 9, 77, 77, 77});
}

TEST_CASE("PNG: palettes become their colours") {
  CHECK(decode(encode_png(3, 1, {.colour_type = 3}, {0, 100, 255}, 3), many).values ==
        Bytes{7, 0, 255, 7, 100, 155, 7, 255, 0});
  CHECK(decode(encode_png(4, 1, {.colour_type = 3, .depth = 2}, {0b00011011}, 1), many).values ==
        Bytes{7, 0, 255, 7, 1, 254, 7, 2, 253, 7, 3, 252});
}

TEST_CASE("PNG: transparency is dropped, and the colour below it stays") {
  CHECK(decode(encode_png(2, 1, {.colour_type = 6}, {1, 2, 3, 0, 4, 5, 6, 128}, 8), many).values ==
        Bytes{1, 2, 3, 4, 5, 6});
  CHECK(decode(encode_png(2, 1, {.colour_type = 4}, {10, 0, 20, 255}, 4), many).values ==
        Bytes{10, 10, 10, 20, 20, 20});
}

TEST_CASE("JPEG: RGB in its usual forms is close to what was written") {
  auto const picture = smooth(41, 27);
  for (bool const is_progressive : {false, true}) {
    for (bool const is_subsampled : {false, true}) {
      JpegForm const form{.is_progressive = is_progressive, .is_subsampled = is_subsampled, .quality = 100};
      auto const decoded = decode(encode_jpeg(41, 27, form, picture.values), many);
      CHECK(decoded.width == 41);
      CHECK(decoded.height == 27);
      CHECK(distance(decoded.values, picture.values) < 2.0);
    }
  }
}

TEST_CASE("JPEG: greyscale is the same value in all channels") {
  Bytes grey;
  for (int i = 0; i < 16 * 16; ++i) grey.push_back(static_cast<std::uint8_t>(i / 2 + 20));
  auto const decoded = decode(encode_jpeg(16, 16, {.channels = 1, .quality = 100}, grey), many);
  for (std::size_t p = 0; p < grey.size(); ++p) {
    CHECK(decoded.values[3 * p] == decoded.values[3 * p + 1]);
    CHECK(decoded.values[3 * p] == decoded.values[3 * p + 2]);
    CHECK(std::abs(decoded.values[3 * p] - grey[p]) <= 2);
  }
}

TEST_CASE("JPEG: CMYK and YCCK, inverted as Adobe writes them, become RGB") {
  Bytes inks;
  for (int p = 0; p < 64; ++p) inks.insert(inks.end(), {255, 55, 155, 204});  // no cyan, much magenta, a fifth of black
  for (bool const is_ycck : {false, true}) {
    JpegForm const form{.channels = 4, .is_ycck = is_ycck, .is_subsampled = false, .quality = 100};
    auto const decoded = decode(encode_jpeg(8, 8, form, inks), many);
    // light * value / 255 of each
    CHECK(std::abs(decoded.values[0] - 204) <= 3);
    CHECK(std::abs(decoded.values[1] - 44) <= 3);
    CHECK(std::abs(decoded.values[2] - 124) <= 3);
  }
}

TEST_CASE("a header says format and size, wherever it stands") {
  auto const png = png_of(pattern(37, 23, 1));
  CHECK(read_header(png, many) == PictureHeader{PictureFormat::png, 37, 23});
  JpegForm const form{.leading_bytes = 200'000};
  auto const jpeg = encode_jpeg(41, 27, form, smooth(41, 27).values);
  CHECK(read_header(jpeg, many) == PictureHeader{PictureFormat::jpeg, 41, 27});
  CHECK_THROWS_WITH_AS((void)read_header(std::span(jpeg).first(100'000), many),
                       "is a JPEG file that ends within its header", DecodeError);
  CHECK(decode(jpeg, many).width == 41);
}

TEST_CASE("a header of JPEG may stand behind Huffman tables, fill bytes and a restart marker") {
  Bytes const file{0xFF, 0xD8, 0xFF, 0xC4, 0, 3, 9, 0xFF, 0xD0, 0xFF, 0xFF, 0xFF, 0xC2, 0, 11, 8, 1, 2, 3, 4, 1};
  CHECK(read_header(file, many) == PictureHeader{PictureFormat::jpeg, 0x304, 0x102});
}

TEST_CASE("what is no picture is refused by its first bytes") {
  CHECK(refusal({}) == "is empty");
  CHECK(refusal({'G', 'I', 'F', '8', '9', 'a'}) == "is neither a JPEG nor a PNG file, by its first bytes");
  CHECK(refusal({0xFF, 0xD8, 0xFF}) == "is a JPEG file that ends within its header");
  CHECK(refusal({0xFF, 0xD8, 0xFF, 0xD9}) == "is a JPEG file without the header of a picture");
  CHECK(refusal({0xFF, 0xD8, 0xFF, 0xFE, 0, 1}) == "is a JPEG file with a damaged header");
  auto png = png_of(pattern(4, 4, 1));
  CHECK(refusal(Bytes(png.begin(), png.begin() + 20)) == "is a PNG file that ends within its header");
  png[12] = 'X';
  CHECK(refusal(png) == "is a PNG file with a damaged header");
}

TEST_CASE("a size above the limit is refused before memory is taken") {
  auto jpeg = encode_jpeg(41, 27, {}, smooth(41, 27).values);
  CHECK(refusal(jpeg, 1107) == "");
  CHECK(refusal(jpeg, 1106) == "has 41 x 27 pixels, more than the 1106 that are allowed");
  // Height and width stand five bytes behind the marker of the frame.
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xFF && jpeg[i + 1] == 0xC0) std::fill_n(jpeg.begin() + static_cast<std::ptrdiff_t>(i) + 5, 4, 0xFF);
  }
  CHECK(refusal(jpeg) == "has 65535 x 65535 pixels, more than the 178956970 that are allowed");
  auto png = png_of(pattern(4, 4, 1));
  std::fill_n(png.begin() + 16, 8, std::uint8_t{0x7F});
  CHECK(says(refusal(png), "more than the 178956970 that are allowed"));
  std::fill_n(png.begin() + 16, 8, std::uint8_t{0});
  CHECK(refusal(png) == "has 0 x 0 pixels");
}

TEST_CASE("files that end too early are refused, wherever they end") {
  auto const png = png_of(pattern(37, 23, 1));
  auto const jpeg = encode_jpeg(41, 27, {}, smooth(41, 27).values);
  auto const progressive = encode_jpeg(41, 27, {.is_progressive = true}, smooth(41, 27).values);
  for (auto const& file : {png, jpeg, progressive}) {
    REQUIRE(refusal(file) == "");
    for (std::size_t bytes = 0; bytes + 2 < file.size(); bytes += 1 + bytes / 16) {
      CAPTURE(bytes);
      CHECK(refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(bytes))) != "");
    }
  }
  CHECK(refusal(Bytes(png.begin(), png.end() - 1)) == "cannot be decoded as PNG: the file ends too early");
  CHECK(refusal(Bytes(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(jpeg.size() / 2))) ==
        "cannot be decoded as JPEG: Premature end of JPEG file");
  CHECK(refusal(Bytes(png.begin(), png.begin() + static_cast<std::ptrdiff_t>(png.size() / 2))) ==
        "cannot be decoded as PNG: the file ends too early");
}

TEST_CASE("a progressive file with hundreds of scans, each over the whole picture, is refused") {
  auto const file = encode_jpeg(41, 27, {.is_progressive = true}, smooth(41, 27).values);
  Bytes const scan_begin{0xFF, 0xDA}, end{0xFF, 0xD9};
  auto const last_scan = std::find_end(file.begin(), file.end(), scan_begin.begin(), scan_begin.end());
  REQUIRE(last_scan != file.end());
  Bytes const scan(last_scan, file.end() - 2);
  auto const with_scans = [&](int more) {
    Bytes long_file(file.begin(), file.end() - 2);
    for (int n = 0; n < more; ++n) long_file.insert(long_file.end(), scan.begin(), scan.end());
    long_file.insert(long_file.end(), end.begin(), end.end());
    return long_file;
  };
  CHECK(refusal(with_scans(20)) == "");
  CHECK(refusal(with_scans(600)) == "cannot be decoded as JPEG: more than 500 scans");
}

TEST_CASE("a PNG file with a wrong sum is refused") {
  auto png = png_of(pattern(37, 23, 1));
  png[png.size() - 14] ^= 1U;  // the sum of its last data
  CHECK(says(refusal(png), "cannot be decoded as PNG: "));
}

TEST_CASE("files with changed bytes are decoded or refused, and neither leaks nor reads beyond them") {
  auto const picture = pattern(48, 40, 3);
  std::vector<Bytes> const originals{
      png_of(picture),
      png_of(picture, true),
      encode_png(48, 40, {.colour_type = 3}, Bytes(1920, 9), 48),
      encode_jpeg(48, 40, {}, picture.values),
      encode_jpeg(48, 40, {.is_progressive = true}, picture.values),
      encode_jpeg(48, 40, {.channels = 4}, Bytes(7680, 77)),
  };
  zero::SplitMix64 random(7);
  std::size_t refused = 0, taken = 0;
  for (int n = 0; n < 240; ++n) {
    auto file = originals[static_cast<std::size_t>(n) % originals.size()];
    // Some near the header, some anywhere.
    auto const reach = n % 2 == 0 ? std::min<std::size_t>(file.size(), 200) : file.size();
    for (int change = 0; change <= n % 5; ++change) file[random() % reach] = static_cast<std::uint8_t>(random());
    (refusal(file, 1'000'000) == "" ? taken : refused) += 1;
  }
  MESSAGE(taken << " taken, " << refused << " refused");
  CHECK(refused > 60);
  CHECK(taken > 20);
}

TEST_CASE("a picture that is written as PNG is read as it was") {
  Folder const folder;
  auto const path = folder.path("a.png");
  auto const picture = pattern(19, 31, 5);
  write_png(path, picture);
  CHECK(decode(read_all(path), many) == picture);
  CHECK_THROWS_WITH_AS(write_png("/nowhere/a\nb.png", picture),
                       "/nowhere/a\\x0Ab.png: cannot be written: No such file or directory", std::runtime_error);
}

TEST_CASE("decoding has the bits of Pillow's" * doctest::test_suite("pillow")) {
  Folder const folder;
  auto const picture = pattern(53, 38, 2);
  Bytes const alpha = pattern(106, 38, 6).values;
  std::vector<Bytes> const files{
      png_of(picture),
      png_of(picture, true),
      encode_png(53, 38, {.colour_type = 6}, alpha, 212),
      encode_png(53, 38, {.colour_type = 4}, alpha, 106),
      encode_png(53, 38, {.colour_type = 3}, alpha, 53),
      encode_png(53, 38, {.colour_type = 0, .depth = 1}, alpha, 7),
      encode_png(53, 38, {.colour_type = 2, .depth = 16}, alpha, 318),
      encode_jpeg(53, 38, {}, picture.values),
      encode_jpeg(53, 38, {.is_progressive = true}, picture.values),
      encode_jpeg(53, 38, {.is_subsampled = false}, picture.values),
      encode_jpeg(53, 38, {.channels = 1}, alpha),
      encode_jpeg(53, 38, {.channels = 4}, alpha),
      encode_jpeg(53, 38, {.channels = 4, .is_ycck = true}, alpha),
  };
  std::string names;
  for (std::size_t n = 0; n < files.size(); ++n) {
    write_file(folder.path(std::to_string(n)), files[n]);
    names += " '" + folder.path(std::to_string(n)) + "'";
  }
  auto const outcome = zero_test::run_command(zero_test::python() + " " ZERO_TEST_PILLOW " decode" + names + " 2>&1");
  if (outcome.code == 77) ZERO_SKIP("the Python of ZERO_TEST_PYTHON has no Pillow");
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  for (std::size_t n = 0; n < files.size(); ++n) {
    CAPTURE(n);
    CHECK((decode(files[n], many).values == read_all(folder.path(std::to_string(n)) + ".rgb")));
  }
}

}  // namespace images_pictures_decode_test
