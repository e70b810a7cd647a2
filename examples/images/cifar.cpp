// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "picture_source.hpp"
#include "support/data_error.hpp"

#include <zero/utility/fingerprint.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace images {
namespace {

namespace fs = std::filesystem;
using command_line::DataError;

constexpr std::size_t side = 32, channels = 3, plane = side * side, pixels = channels * plane;
constexpr std::size_t border = 4;  // of the crop that training takes, as usual for CIFAR
// Of the training pictures of CIFAR-10, by channel.
constexpr ColourNorm norm_of_cifar{{0.4914F, 0.4822F, 0.4465F}, {0.2470F, 0.2435F, 0.2616F}};

/// What a version's folder holds.
struct Layout {
  char const* names;        ///< a line for each class
  std::size_t label_bytes;  ///< before a picture; the last one is the class
  std::vector<char const*> train, validation;
};

Layout const& ten() {
  static Layout const layout{
      "batches.meta.txt",
      1,
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      {"test_batch.bin"}};
  return layout;
}
Layout const& hundred() {
  static Layout const layout{"fine_label_names.txt", 2, {"train.bin"}, {"test.bin"}};
  return layout;
}

/// Null where \p folder has the files of neither.
Layout const* layout_of(fs::path const& folder) {
  for (auto const* const layout : {&ten(), &hundred()}) {
    if (fs::exists(folder / layout->names)) return layout;
  }
  return nullptr;
}

std::vector<std::string> read_names(fs::path const& path) {
  // To open a pipe would wait for who writes to it.
  if (!fs::is_regular_file(path)) throw DataError(path.string() + ": is no file: it is to have the names of classes");
  std::vector<std::string> names;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) names.push_back(line);
  }
  if (names.empty()) throw DataError(path.string() + ": has no names of classes");
  return names;
}

std::vector<char> read_file(fs::path const& path) {
  std::error_code error;
  auto const size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  std::vector<char> bytes(error ? 0 : size);
  if (error || !file.read(bytes.data(), static_cast<std::streamsize>(size))) {
    throw DataError(path.string() + ": cannot be read: the folder is to hold all files of the data set");
  }
  return bytes;
}

/// All of it is in memory: 180 MB of the published data sets.
class Cifar final : public PictureSource {
 public:
  Cifar(fs::path const& folder, Layout const& layout, PictureSplit split)
      : classes_(read_names(folder / layout.names)) {
    for (auto const* const name : split == PictureSplit::train ? layout.train : layout.validation) {
      take(folder / name, layout.label_bytes);
    }
    if (labels_.empty()) throw DataError(folder.string() + ": has no pictures");
    zero::Fingerprint fingerprint;
    fingerprint.add(std::as_bytes(std::span(values_)));
    fingerprint.add(std::as_bytes(std::span(labels_)));
    hash_ = fingerprint.value();
  }

  std::size_t size() const override { return labels_.size(); }
  PictureSize picture_size() const override { return {channels, side, side}; }
  std::vector<std::string> const& classes() const override { return classes_; }
  std::uint64_t hash() const override { return hash_; }
  ColourNorm const& norm() const override { return norm_of_cifar; }

  std::int64_t read(std::size_t i, training::CounterRandom const* draws, std::span<float> into) const override {
    auto const* const from = values_.data() + i * pixels;
    // Pixel (y, x) of what the model sees is (y + down, x + right) of the picture, black outside, or mirrored.
    auto const offset = [&](std::uint64_t n) {
      return draws == nullptr ? 0 : static_cast<int>(draws->below(n, 2 * border + 1)) - static_cast<int>(border);
    };
    int const down = offset(0), right = offset(1);
    bool const mirrored = draws != nullptr && draws->below(2, 2) == 1;
    constexpr int end = static_cast<int>(side);
    for (std::size_t c = 0; c < channels; ++c) {
      auto const& [mean, deviation] = norm_of_cifar;
      float const scale = 1.0F / (255.0F * deviation[c]), shift = mean[c] / deviation[c];
      for (int y = 0; y < end; ++y) {
        for (int x = 0; x < end; ++x) {
          int const row = y + down, column = (mirrored ? end - 1 - x : x) + right;
          bool const is_inside = row >= 0 && row < end && column >= 0 && column < end;
          auto const at = c * plane + static_cast<std::size_t>(row * end + column);
          float const value = is_inside ? static_cast<float>(from[at]) : 0.0F;
          into[c * plane + static_cast<std::size_t>(y * end + x)] = value * scale - shift;
        }
      }
    }
    return labels_[i];
  }

 private:
  void take(fs::path const& path, std::size_t label_bytes) {
    auto const bytes = read_file(path);
    std::size_t const record = label_bytes + pixels;
    if (bytes.empty() || bytes.size() % record != 0) {
      throw DataError(path.string() + ": has " + std::to_string(bytes.size()) + " bytes, which is no multiple of the " +
                      std::to_string(record) + " of a picture: it is cut off, or no file of CIFAR's");
    }
    // Published files of one part are alike: one that ends between two pictures shows nowhere else.
    auto const count = bytes.size() / record;
    if (pictures_of_file_ != 0 && count != pictures_of_file_) {
      throw DataError(path.string() + ": has " + std::to_string(count) + " pictures, and the file before it " +
                      std::to_string(pictures_of_file_) + ": one of them is cut off");
    }
    pictures_of_file_ = count;
    for (std::size_t at = 0; at < bytes.size(); at += record) {
      auto const label = static_cast<std::int64_t>(static_cast<unsigned char>(bytes[at + label_bytes - 1]));
      if (label >= static_cast<std::int64_t>(classes_.size())) {
        throw DataError(path.string() + ": picture " + std::to_string(at / record) + " has the class " +
                        std::to_string(label) + ", of " + std::to_string(classes_.size()));
      }
      labels_.push_back(label);
      auto const begin = bytes.begin() + static_cast<std::ptrdiff_t>(at + label_bytes);
      values_.insert(values_.end(), begin, begin + static_cast<std::ptrdiff_t>(pixels));
    }
  }

  std::vector<std::string> classes_;
  std::size_t pictures_of_file_ = 0;
  std::vector<std::int64_t> labels_;
  std::vector<unsigned char> values_;
  std::uint64_t hash_ = 0;
};

}  // namespace

bool is_cifar(std::string const& folder) { return layout_of(folder) != nullptr; }

std::shared_ptr<PictureSource const> open_cifar(std::string const& folder, PictureSplit split) {
  auto const* const layout = layout_of(folder);
  return layout == nullptr ? nullptr : std::make_shared<Cifar>(folder, *layout, split);
}

}  // namespace images
