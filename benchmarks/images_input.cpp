// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// How many pictures a second one thread decodes, and makes ready for a model, with a cache, and from a storage that
// takes 20 ms for each read. The pictures are JPEG files of 500 x 375 pixels, as many of ImageNet are, in a temporary
// folder.
#include "images/pictures/encode.hpp"
#include "images/pictures/folder.hpp"
#include "images/pictures/picture_files.hpp"
#include "images/pictures/picture_folder.hpp"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace images;  // NOLINT(google-build-using-namespace)
using training::CounterRandom;

constexpr std::size_t pictures_of_a_class = 8;

/// Two classes of pictures, made once.
pictures_test::Folder const& data() {
  static pictures_test::Folder const folder;
  static bool const is_filled = [] {
    for (std::string const name : {"a", "b"}) {
      std::filesystem::create_directory(folder.path(name));
      for (std::size_t n = 0; n < pictures_of_a_class; ++n) {
        auto const picture = pictures_test::pattern(500, 375, static_cast<unsigned>(n));
        auto const file = pictures_test::encode_jpeg(500, 375, {.quality = 75}, picture.values);
        pictures_test::write_file(folder.path(name + "/" + std::to_string(n) + ".jpg"), file);
      }
    }
    return true;
  }();
  (void)is_filled;
  return folder;
}

/// Pictures behind a storage that is \p delay away.
class DistantPictures final : public PictureSource {
 public:
  DistantPictures(std::shared_ptr<PictureSource const> pictures, std::chrono::milliseconds delay)
      : pictures_(std::move(pictures)), delay_(delay) {}

  std::size_t size() const override { return pictures_->size(); }
  PictureSize picture_size() const override { return pictures_->picture_size(); }
  std::vector<std::string> const& classes() const override { return pictures_->classes(); }
  images::ColourNorm const& norm() const override { return pictures_->norm(); }
  std::uint64_t hash() const override { return pictures_->hash(); }
  std::int64_t read(std::size_t i, CounterRandom const* draws, std::span<float> into) const override {
    std::this_thread::sleep_for(delay_);
    return pictures_->read(i, draws, into);
  }

 private:
  std::shared_ptr<PictureSource const> pictures_;
  std::chrono::milliseconds delay_;
};

void count(benchmark::State& state) { state.SetItemsProcessed(state.iterations()); }

void decode_file(benchmark::State& state) {
  auto const file = read_file(data().path("a/0.jpg"));
  for (auto _ : state) benchmark::DoNotOptimize(decode(file, usual_most_pixels));
  count(state);
}

void read_pictures(benchmark::State& state, PictureSource const& source, bool trains) {
  std::vector<float> values(source.picture_size().values());
  std::uint64_t n = 0;
  for (auto _ : state) {
    CounterRandom const draws(n);
    benchmark::DoNotOptimize(source.read(n++ % source.size(), trains ? &draws : nullptr, values));
  }
  count(state);
}

/// Arguments: size, whether pictures are for training, whether they are cached.
void read_folder(benchmark::State& state) {
  FolderOptions const options{.size = static_cast<std::size_t>(state.range(0)),
                              .cache_bytes = state.range(2) != 0 ? std::uint64_t{1} << 30U : 0};
  read_pictures(state, *open_folder(data().path(), options).pictures, state.range(1) != 0);
}

void read_distant_folder(benchmark::State& state) {
  using std::chrono_literals::operator""ms;
  DistantPictures const distant(open_folder(data().path(), {}).pictures, 20ms);
  read_pictures(state, distant, true);
}

}  // namespace

BENCHMARK(decode_file)->UseRealTime();
BENCHMARK(read_folder)
    ->ArgNames({"size", "training", "cached"})
    ->ArgsProduct({{32, 224}, {0, 1}, {0, 1}})
    ->UseRealTime();
BENCHMARK(read_distant_folder)->UseRealTime()->ThreadRange(1, 8);

BENCHMARK_MAIN();
