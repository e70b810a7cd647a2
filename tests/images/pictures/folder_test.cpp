// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/picture_folder.hpp"

#include "images/pictures/crops.hpp"
#include "images/pictures/encode.hpp"
#include "images/pictures/folder.hpp"
#include "images/pictures/picture_cache.hpp"
#include "images/pictures/resample.hpp"
#include "images/pictures/shown_name.hpp"
#include "support/data_error.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace images_pictures_folder_test {

namespace {

using namespace images;         // NOLINT(google-build-using-namespace)
using namespace pictures_test;  // NOLINT(google-build-using-namespace)
using command_line::DataError;
using training::CounterRandom;
namespace fs = std::filesystem;

Bytes png(unsigned seed, std::size_t width = 40, std::size_t height = 30) {
  auto const picture = pattern(width, height, seed);
  return encode_png(width, height, {}, picture.values, 3 * width);
}
Bytes jpeg(unsigned seed, std::size_t width = 40, std::size_t height = 30) {
  return encode_jpeg(width, height, {}, pattern(width, height, seed).values);
}

void put(Folder const& folder, std::string const& name, Bytes const& bytes) {
  fs::create_directories(fs::path(folder.path(name)).parent_path());
  write_file(folder.path(name), bytes);
}

/// Two classes with three pictures.
void fill(Folder const& folder) {
  put(folder, "cat/a.png", png(1));
  put(folder, "cat/deep/b.JPEG", jpeg(2));
  put(folder, "dog/c.jpg", jpeg(3));
}

/// One line that \p open_parts refuses the folder with, without the folder's path; empty where it takes it.
std::string refusal(Folder const& folder, FolderOptions const& options = {}, std::optional<double> share = {}) {
  try {
    (void)open_parts(folder.path(), options, share);
  } catch (DataError const& error) {
    std::string line = error.what();
    CHECK(line.find('\n') == std::string::npos);
    for (auto at = line.find(folder.path()); at != std::string::npos; at = line.find(folder.path())) {
      line.replace(at, folder.path().size(), "DIR");
    }
    return line;
  }
  return "";
}

std::vector<float> values_of(PictureSource const& source, std::size_t i, CounterRandom const* draws = nullptr) {
  std::vector<float> values(source.picture_size().values());
  (void)source.read(i, draws, values);
  return values;
}

std::shared_ptr<PictureSource const> open(Folder const& folder, FolderOptions const& options = {}) {
  return open_folder(folder.path(), options).pictures;
}

/// A picture as ImageNet's mean and deviation normalize it.
std::vector<float> normalized(RgbPicture const& picture) {
  ColourNorm const norm;
  auto const plane = picture.width * picture.height;
  std::vector<float> values(3 * plane);
  for (std::size_t p = 0; p < plane; ++p) {
    for (std::size_t c = 0; c < 3; ++c) {
      values[c * plane + p] =
          (static_cast<float>(picture.values[3 * p + c]) / 255.0F - norm.mean[c]) / norm.deviation[c];
    }
  }
  return values;
}

void make_unreadable_ones(Folder const& folder) {
  auto const good = jpeg(3);
  put(folder, "dog/cut.jpg", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2)));
  put(folder, "dog/empty.png", {});
  fs::create_symlink("nowhere", folder.path("dog/gone.png"));
}

}  // namespace

TEST_CASE("classes are the sorted folders, and pictures those in them, at any depth") {
  Folder const folder;
  fill(folder);
  put(folder, "cat/notes.txt", {'x'});
  put(folder, "cat/.hidden.png", {'x'});
  put(folder, ".cache/a.png", {'x'});
  put(folder, "readme.md", {'x'});
  auto const [pictures, report] = open_folder(folder.path() + "/", {});
  CHECK(pictures->classes() == std::vector<std::string>{"cat", "dog"});
  REQUIRE(pictures->size() == 3);
  CHECK(report.pictures == 3);
  CHECK(report.lines() ==
        std::vector<std::string>{"2 hidden names left out",
                                 "2 files left out, without the ending .jpg, .jpeg or .png in a class"});
  std::vector<float> values(pictures->picture_size().values());
  CHECK(pictures->read(0, nullptr, values) == 0);
  CHECK(pictures->read(1, nullptr, values) == 0);
  CHECK(pictures->read(2, nullptr, values) == 1);
}

TEST_CASE("folders that are no data are refused in one line") {
  Folder const folder;
  CHECK(refusal(folder) == "DIR: has no folders: it is to have one for each class, with pictures in it");
  put(folder, "cat/a.png", png(1));
  CHECK(refusal(folder) == "DIR: has the folder 'cat' alone: two classes are the least");
  put(folder, "dog/notes.txt", {'x'});
  CHECK(refusal(folder) == "DIR/dog: has no pictures, in .jpg, .jpeg or .png: fill the class, or remove it");
  put(folder, "dog/a.png", png(1));
  CHECK(refusal(folder) == "");
  CHECK_THROWS_WITH_AS((void)open_folder(folder.path("no"), {}), doctest::Contains("is not there"), DataError);
  CHECK_THROWS_WITH_AS((void)open_folder(folder.path("cat/a.png"), {}), doctest::Contains("is no folder"), DataError);
  CHECK_THROWS_AS((void)open_folder(folder.path(), {.size = 7}), std::invalid_argument);
  CHECK_THROWS_AS((void)open_parts(folder.path(), {}, 1.0), std::invalid_argument);
}

TEST_CASE("links are followed, but not back") {
  Folder const folder, elsewhere;
  fill(folder);
  put(elsewhere, "more/x.png", png(9));
  fs::create_symlink(elsewhere.path("more/x.png"), folder.path("dog/link.png"));
  fs::create_symlink(elsewhere.path("more"), folder.path("dog/more"));
  CHECK(open(folder)->size() == 5);
  fs::create_symlink("..", folder.path("dog/more/up"));  // to elsewhere, with no loop but by "more"
  CHECK(refusal(folder).find("is a link back to DIR/dog/more: remove it") != std::string::npos);
  fs::remove(folder.path("dog/more/up"));
  fs::create_symlink(folder.path(), folder.path("cat/deep/root"));
  CHECK(refusal(folder) == "DIR/cat/deep/root: is a link back to DIR: remove it");
}

TEST_CASE("a file that cannot be used is named at opening") {
  auto const refused = [](std::string const& name, Bytes const& bytes, FolderOptions const& options = {}) {
    Folder const folder;
    fill(folder);
    put(folder, name, bytes);
    return refusal(folder, options);
  };
  std::string const advice = ": mend or remove it, or use --skip-unreadable";
  CHECK(refused("dog/e.png", {}) == "DIR/dog/e.png: is empty" + advice);
  CHECK(refused("dog/e.png", {'G', 'I', 'F'}) ==
        "DIR/dog/e.png: is neither a JPEG nor a PNG file, by its first bytes" + advice);
  CHECK(refused("dog/e.png", png(1), {.most_pixels = 1199}) ==
        "DIR/cat/a.png: has 40 x 30 pixels, more than the 1199 that are allowed" + advice);
  CHECK(refused("dog/a\n\xFF\\.png", {}) == "DIR/dog/a\\x0A\\xFF\\x5C.png: is empty" + advice);
  Folder const folder;
  fill(folder);
  fs::create_symlink("nowhere", folder.path("dog/gone.png"));
  CHECK(refusal(folder) == "DIR/dog/gone.png: is a link to nothing" + advice);
  fs::remove(folder.path("dog/gone.png"));
  fs::create_symlink("nowhere", folder.path("dog/more"));
  CHECK(refusal(folder) == "DIR/dog/more: is a link to nothing" + advice);
  fs::remove(folder.path("dog/more"));
  fs::create_symlink("nowhere", folder.path("bird"));
  std::string const lacks = "DIR/bird: is a link to nothing, and may have been a class: mend or remove it";
  CHECK(refusal(folder) == lacks);
  CHECK(refusal(folder, {.skip_unreadable = true}) == lacks);
  fs::remove(folder.path("bird"));
  fs::create_symlink("self.png", folder.path("dog/self.png"));
  CHECK(refusal(folder).starts_with("DIR/dog/self.png: cannot be read: "));
  fs::remove(folder.path("dog/self.png"));
  REQUIRE(::mkfifo(folder.path("dog/pipe.png").c_str(), 0600) == 0);
  CHECK(refusal(folder) == "DIR/dog/pipe.png: is no file" + advice);
}

TEST_CASE("a header behind much else is found, and names of any bytes are read") {
  Folder const folder;
  fill(folder);
  put(folder, "dog/\xFF\xFE\n.jpg", encode_jpeg(40, 30, {.leading_bytes = 150'000}, pattern(40, 30, 8).values));
  auto const pictures = open(folder);
  REQUIRE(pictures->size() == 4);
  CHECK(values_of(*pictures, 3).size() == std::size_t{3} * 224 * 224);
}

TEST_CASE("content counts, and not the ending") {
  Folder const folder;
  fill(folder);
  put(folder, "dog/is_png.jpg", png(4));
  auto const [pictures, report] = open_folder(folder.path(), {});
  CHECK(pictures->size() == 4);
  CHECK(report.misnamed == 1);
  CHECK(report.lines() ==
        std::vector<std::string>{"1 picture with the ending of another format, as " + folder.path("dog/is_png.jpg")});
}

TEST_CASE("damage that shows in decoding alone is named by the read") {
  Folder const folder;
  fill(folder);
  auto const good = jpeg(3);
  put(folder, "dog/cut.jpg", Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2)));
  auto const pictures = open(folder);
  REQUIRE(pictures->size() == 4);
  CHECK_THROWS_WITH_AS((void)values_of(*pictures, 3),
                       (folder.path("dog/cut.jpg") +
                        ": cannot be decoded as JPEG: Premature end of JPEG file: mend or remove it, or use "
                        "--skip-unreadable")
                           .c_str(),
                       DataError);
  auto const readable = open(folder, {.skip_unreadable = true});
  fs::remove(folder.path("dog/c.jpg"));
  CHECK_THROWS_WITH_AS((void)values_of(*pictures, 2), doctest::Contains("c.jpg: cannot be read"), DataError);
  CHECK_THROWS_WITH_AS((void)values_of(*readable, 2),
                       doctest::Contains("it could be read at the start: leave pictures as they are during a run"),
                       DataError);
}

TEST_CASE("what is unreadable is left out where that is asked for, the same with any number of threads") {
  Folder const folder, good;
  fill(folder);
  fill(good);
  make_unreadable_ones(folder);
  for (std::size_t const threads : {0U, 1U, 8U}) {
    auto const [pictures, report] = open_folder(folder.path(), {.skip_unreadable = true, .threads = threads});
    CHECK(pictures->size() == 3);
    CHECK(pictures->hash() == open(good)->hash());
    CHECK(report.unreadable == 3);
    CHECK(report.lines() == std::vector<std::string>{"3 unreadable pictures left out: " + folder.path("dog/cut.jpg") +
                                                     ": cannot be decoded as JPEG: Premature end of JPEG file"});
  }
  fs::remove(folder.path("dog/c.jpg"));
  CHECK(refusal(folder, {.skip_unreadable = true}) == "DIR/dog: none of its pictures can be read");
}

TEST_CASE("the hash tells other names, sizes and classes") {
  std::set<std::uint64_t> hashes;
  Folder const folder;
  fill(folder);
  hashes.insert(open(folder)->hash());
  fs::rename(folder.path("cat/a.png"), folder.path("cat/aa.png"));
  hashes.insert(open(folder)->hash());
  put(folder, "cat/aa.png", png(1, 41));
  hashes.insert(open(folder)->hash());
  fs::rename(folder.path("cat/aa.png"), folder.path("dog/aa.png"));
  hashes.insert(open(folder)->hash());
  put(folder, "bird/z.png", png(1));
  hashes.insert(open(folder)->hash());
  CHECK(hashes.size() == 5);
  CHECK(open(folder)->hash() == open(folder, {.size = 32, .threads = 5})->hash());
}

TEST_CASE("folders train and val are the two parts") {
  Folder const folder;
  for (auto const* const name :
       {"train/cat/1.png", "train/cat/2.png", "train/dog/3.png", "val/cat/4.png", "val/dog/5.png"}) {
    put(folder, name, png(1));
  }
  CHECK(open(folder)->size() == 3);
  CHECK(open(folder, {.split = PictureSplit::validation})->size() == 2);
  CHECK(open(folder)->classes() == std::vector<std::string>{"cat", "dog"});
  put(folder, "train/.hidden", {});
  put(folder, "val/.hidden", {});
  for (auto const share : {std::optional<double>(), std::optional(0.9)}) {  // which the parts leave no room for
    auto const parts = open_parts(folder.path(), {}, share);
    CHECK(parts.train->hash() == open(folder)->hash());
    CHECK(parts.validation->hash() == open(folder, {.split = PictureSplit::validation})->hash());
    CHECK(parts.report.pictures == 5);
    CHECK(parts.report.lines() == std::vector<std::string>{"2 hidden names left out"});
  }
  CHECK(has_parts(folder.path()));
  CHECK(!has_parts(folder.path("train")));
}

TEST_CASE("a share for validation is chosen by names, and other files change nothing") {
  Folder const folder;
  for (int n = 0; n < 60; ++n) put(folder, (n % 2 != 0 ? "cat/" : "dog/") + std::to_string(n) + ".png", png(1));
  auto const parts = open_parts(folder.path(), {}, 0.25);
  auto const before = parts.validation->size();
  CHECK(before >= 6);
  CHECK(before <= 26);
  CHECK(parts.train->size() + before == 60);
  CHECK(parts.report.pictures == 60);
  CHECK(parts.train->classes() == parts.validation->classes());
  // A file that falls to training leaves validation as it was.
  auto const hash = parts.validation->hash();
  std::size_t same = 0;
  for (int n = 100; n < 110; ++n) {
    put(folder, "cat/" + std::to_string(n) + ".png", png(1));
    auto const now = open_parts(folder.path(), {}, 0.25).validation;
    if (now->size() == before) {
      CHECK(now->hash() == hash);
      ++same;
    }
    fs::remove(folder.path("cat/" + std::to_string(n) + ".png"));
  }
  CHECK(same > 0);
  CHECK(same < 10);
  CHECK(open(folder)->size() == 60);
  CHECK(open_parts(folder.path(), {}, {}).train->size() == 60);  // without a share all are
  CHECK(open_parts(folder.path(), {}, {}).validation == nullptr);
  Folder const few;
  fill(few);
  CHECK(refusal(few, {}, 1e-9) ==
        "DIR: has too few pictures to validate on some of them: name a folder to validate on");
  CHECK(refusal(few, {}, 0.999999) ==
        "DIR/cat: all of its pictures fall to validation: add some, or name a folder to validate on");
}

TEST_CASE("a share for validation does not depend on contents") {
  Folder const folder;
  auto const chosen = [&](std::size_t width) {
    for (int n = 0; n < 60; ++n) {
      put(folder, (n % 2 != 0 ? "cat/" : "dog/") + std::to_string(n) + ".png",
          encode_png(width, 1, {}, Bytes(3 * width, static_cast<std::uint8_t>(4 * n)), 3 * width));
    }
    auto const pictures = open_parts(folder.path(), {.size = 8}, 0.25).validation;
    std::vector<float> colours;
    for (std::size_t i = 0; i < pictures->size(); ++i) colours.push_back(values_of(*pictures, i)[0]);
    return colours;
  };
  CHECK(chosen(1) == chosen(50));
}

TEST_CASE("an evaluation sees the middle of the picture, resized and normalized") {
  Folder const folder;
  fill(folder);
  auto const picture = pattern(40, 30, 1);
  auto const crop = center_crop(40, 30, 224);
  CHECK(values_of(*open(folder), 0) ==
        normalized(resize(picture, whole(picture), crop.width, crop.height, crop.window)));
  CHECK(values_of(*open(folder, {.size = 64}), 0) ==
        normalized(resize(picture, whole(picture), 64, 64, {0, 0, 64, 64})));
}

TEST_CASE("training sees a random part of the picture, mirrored or not") {
  Folder const folder;
  fill(folder);
  auto const pictures = open(folder, {.size = 96});
  auto const picture = pattern(40, 30, 1);
  int mirrored = 0;
  for (std::uint64_t n = 0; n < 20; ++n) {
    CounterRandom const draws(n);
    auto part = resize(picture, random_crop(40, 30, draws), 96, 96, {0, 0, 96, 96});
    auto const values = values_of(*pictures, 0, &draws);
    CHECK(values == values_of(*pictures, 0, &draws));
    if (values == normalized(part)) continue;
    auto const plain = part;
    for (std::size_t y = 0; y < 96; ++y) {
      for (std::size_t x = 0; x < 96; ++x) {
        for (std::size_t c = 0; c < 3; ++c) part.values[3 * (96 * y + x) + c] = plain.values[3 * (96 * y + 95 - x) + c];
      }
    }
    CHECK(values == normalized(part));
    ++mirrored;
  }
  CHECK(mirrored > 3);
  CHECK(mirrored < 17);
}

TEST_CASE("training on small pictures sees them moved by up to an eighth, over black") {
  Folder const folder;
  put(folder, "cat/a.png", encode_png(1, 1, {}, {255, 255, 255}, 3));
  put(folder, "dog/a.png", png(1));
  auto const pictures = open(folder, {.size = 16});
  auto const white = normalized({1, 1, {255, 255, 255}})[0], black = normalized({1, 1, {0, 0, 0}})[0];
  std::set<std::size_t> counts;
  std::set<std::ptrdiff_t> first_rows, last_rows;
  for (std::uint64_t n = 0; n < 200; ++n) {
    CounterRandom const draws(n);
    auto const values = values_of(*pictures, 0, &draws);
    auto const whites = static_cast<std::size_t>(std::count(values.begin(), values.begin() + 256, white));
    CHECK(whites + static_cast<std::size_t>(std::count(values.begin(), values.begin() + 256, black)) == 256);
    counts.insert(whites);
    std::vector<float> column;  // which mirroring leaves in place
    for (std::size_t y = 0; y < 16; ++y) column.push_back(values[16 * y + 8]);
    first_rows.insert(std::find(column.begin(), column.end(), white) - column.begin());
    last_rows.insert(std::find(column.begin() + 8, column.end(), black) - column.begin());
  }
  CHECK(first_rows == std::set<std::ptrdiff_t>{0, 1, 2});
  CHECK(last_rows == std::set<std::ptrdiff_t>{14, 15, 16});
  // 14, 15 or 16 columns of 14, 15 or 16 rows.
  CHECK(counts == std::set<std::size_t>{196, 210, 225, 224, 240, 256});
}

TEST_CASE("a cache of any size leaves the values as they are, for several threads") {
  Folder const folder;
  fill(folder);
  for (std::size_t const size : {32U, 96U}) {
    auto const plain = open(folder, {.size = size});
    for (std::uint64_t const budget : {100U, 4000U, 1'000'000U}) {
      auto const cached = open(folder, {.size = size, .cache_bytes = budget});
      std::vector<std::vector<float>> all(16);
      std::vector<std::thread> readers;
      auto const read = [&](PictureSource const& source, std::size_t n) {
        CounterRandom const draws(n);
        return values_of(source, n % 3, n % 4 < 2 ? nullptr : &draws);
      };
      for (std::size_t t = 0; t < 4; ++t) {
        readers.emplace_back([&, t] {
          for (std::size_t n = t; n < all.size(); n += 4) all[n] = read(*cached, n);
        });
      }
      for (auto& reader : readers) reader.join();
      for (std::size_t n = 0; n < all.size(); ++n) CHECK((all[n] == read(*plain, n)));
    }
  }
}

TEST_CASE("a cached picture is not read again") {
  Folder const folder;
  fill(folder);
  for (std::size_t const size : {32U, 96U}) {
    fill(folder);
    auto const pictures = open(folder, {.size = size, .cache_bytes = 1'000'000});
    CounterRandom const draws(1);
    auto const trained = values_of(*pictures, 0, &draws), evaluated = values_of(*pictures, 0);
    fs::remove(folder.path("cat/a.png"));
    CHECK(values_of(*pictures, 0, &draws) == trained);
    CHECK(values_of(*pictures, 0) == evaluated);
    fs::remove(folder.path("dog/c.jpg"));
    CHECK_THROWS_AS((void)values_of(*pictures, 2), DataError);
  }
}

TEST_CASE("a cache keeps what fits, and no more") {
  PictureCache cache(3, 2 * (300 + sizeof(RgbPicture)) + 10);
  auto const picture = std::make_shared<RgbPicture const>(RgbPicture{10, 10, Bytes(300)});
  for (std::size_t n = 0; n < 3; ++n) cache.keep(n, picture);
  cache.keep(0, picture);
  CHECK(cache.find(0) == picture);
  CHECK(cache.find(1) == picture);
  CHECK(cache.find(2) == nullptr);
  CHECK(cache.left() == 10);
}

TEST_CASE("names are shown in one line") {
  CHECK(shown_name("a b/\xC3\xA9.png") == "a b/\xC3\xA9.png");
  CHECK(shown_name("a\n\x7F\\\xC3") == "a\\x0A\\x7F\\x5C\\xC3");
  CHECK(shown_name("\xC2\x85") == "\\xC2\\x85");  // U+0085, a line's end
}

TEST_CASE("a picture that a pipe has taken the place of since is an error, and not waited for") {
  Folder const folder;
  fill(folder);
  auto const pictures = open(folder);
  fs::remove(folder.path("cat/a.png"));
  REQUIRE(::mkfifo(folder.path("cat/a.png").c_str(), 0600) == 0);
  std::vector<float> values(pictures->picture_size().values());
  std::string said;
  for (std::size_t i = 0; i < pictures->size() && said.empty(); ++i) {
    try {
      (void)pictures->read(i, nullptr, values);
    } catch (command_line::DataError const& error) {
      said = error.what();
    }
  }
  CHECK(said.ends_with("cat/a.png: is no file: mend or remove it, or use --skip-unreadable"));
}

}  // namespace images_pictures_folder_test
