// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/pictures/picture_folder.hpp"

#include "images/pictures/crops.hpp"
#include "images/pictures/picture_cache.hpp"
#include "images/pictures/picture_files.hpp"
#include "images/pictures/resample.hpp"
#include "images/pictures/shown_name.hpp"
#include "support/counted.hpp"
#include "support/data_error.hpp"

#include <zero/utility/fingerprint.hpp>
#include <zero/utility/split_mix.hpp>
#include <zero/utility/utf8.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace images {
namespace {

using command_line::counted;
using command_line::DataError;
using training::CounterRandom;

constexpr std::size_t channels = 3, small = 64;
// Which numbers are drawn for what; those before are `random_crop`'s.
constexpr std::uint64_t mirror_draw = 40, down_draw = 41, right_draw = 42;

/// What to do about a picture that cannot be read, behind its name and the reason.
constexpr char const* advice = ": mend or remove it, or use --skip-unreadable";
/// The same where it could be read at opening.
constexpr char const* advice_on_change = ": it could be read at the start: leave pictures as they are during a run";

/// What each of the 256 values becomes, by channel.
using Normalized = std::array<std::array<float, 256>, channels>;

Normalized normalized_by(ColourNorm const& norm) {
  Normalized table{};
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t v = 0; v < table[c].size(); ++v) {
      table[c][v] = (static_cast<float>(v) / 255.0F - norm.mean[c]) / norm.deviation[c];
    }
  }
  return table;
}

/// The part of a picture that a model sees. What lies outside of the picture is black.
struct View {
  std::int64_t left = 0, top = 0;
  bool is_mirrored = false;
};

void normalize(RgbPicture const& picture, View const& view, std::size_t size, Normalized const& table,
               std::span<float> into) {
  auto const width = static_cast<std::int64_t>(picture.width), height = static_cast<std::int64_t>(picture.height);
  auto const side = static_cast<std::int64_t>(size);
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      auto const row = y + view.top, column = (view.is_mirrored ? side - 1 - x : x) + view.left;
      bool const is_inside = row >= 0 && row < height && column >= 0 && column < width;
      auto const from = channels * static_cast<std::size_t>(is_inside ? row * width + column : 0);
      auto const to = static_cast<std::size_t>(y * side + x);
      for (std::size_t c = 0; c < channels; ++c) {
        into[c * size * size + to] = table[c][is_inside ? picture.values[from + c] : 0];
      }
    }
  }
}

class PictureFolder final : public PictureSource {
 public:
  PictureFolder(PictureFiles files, FolderOptions const& options)
      : files_(std::move(files)),
        size_(options.size),
        most_pixels_(options.most_pixels),
        advice_(options.skip_unreadable ? advice_on_change : advice),
        norm_(options.norm),
        table_(normalized_by(options.norm)),
        cache_(2 * files_.files.size(), options.cache_bytes) {
    zero::Fingerprint fingerprint;
    for (auto const& file : files_.files) {
      fingerprint.add_text(file.name);
      fingerprint.add(char{0});  // no name has it
      fingerprint.add(file.bytes);
      fingerprint.add(static_cast<std::uint64_t>(file.of_class));
    }
    hash_ = fingerprint.value();
  }

  std::size_t size() const override { return files_.files.size(); }
  PictureSize picture_size() const override { return {channels, size_, size_}; }
  std::vector<std::string> const& classes() const override { return files_.classes; }
  std::uint64_t hash() const override { return hash_; }
  ColourNorm const& norm() const override { return norm_; }

  std::int64_t read(std::size_t i, CounterRandom const* draws, std::span<float> into) const override {
    auto const& file = files_.files.at(i);
    if (into.size() != channels * size_ * size_) throw std::logic_error("images::PictureFolder::read: wrong size");
    bool const is_mirrored = draws != nullptr && draws->below(mirror_draw, 2) == 1;
    if (size_ <= small) {
      auto const offset = [&](std::uint64_t n) {
        auto const border = static_cast<std::int64_t>(size_ / 8);
        return draws == nullptr ? 0 : static_cast<std::int64_t>(draws->below(n, size_ / 8 * 2 + 1)) - border;
      };
      normalize(*prepared(i, Preparation::resized), {offset(right_draw), offset(down_draw), is_mirrored}, size_, table_,
                into);
    } else if (draws == nullptr) {
      normalize(*prepared(i, Preparation::centered), {}, size_, table_, into);
    } else {
      auto const picture = prepared(i, Preparation::none);
      auto const crop = random_crop(picture->width, picture->height, *draws);
      normalize(resize(*picture, crop, size_, size_, {0, 0, size_, size_}), {0, 0, is_mirrored}, size_, table_, into);
    }
    return static_cast<std::int64_t>(file.of_class);
  }

 private:
  /// What is done to a picture before random numbers have their say, and what the cache keeps.
  enum class Preparation : std::uint8_t { none, centered, resized };

  [[nodiscard]] PictureCache::Picture prepared(std::size_t i, Preparation preparation) const {
    std::size_t const number = 2 * i + (preparation == Preparation::none ? 0 : 1);
    if (auto known = cache_.find(number)) return known;
    auto made = std::make_shared<RgbPicture const>(prepare(decoded(files_.files[i]), preparation));
    cache_.keep(number, made);
    return made;
  }
  [[nodiscard]] RgbPicture decoded(PictureFile const& file) const {
    auto const path = files_.path_of(file);
    try {
      return decode(read_file(path), most_pixels_);
    } catch (DecodeError const& error) {
      throw DataError(shown_name(path) + ": " + error.what() + advice_);
    }
  }
  [[nodiscard]] RgbPicture prepare(RgbPicture picture, Preparation preparation) const {
    if (preparation == Preparation::none) return picture;
    CenterCrop crop{size_, size_, {0, 0, size_, size_}};
    if (preparation == Preparation::centered) crop = center_crop(picture.width, picture.height, size_);
    return resize(picture, whole(picture), crop.width, crop.height, crop.window);
  }

  PictureFiles files_;
  std::size_t size_;
  std::uint64_t most_pixels_;
  char const* advice_;
  ColourNorm norm_;
  Normalized table_;
  mutable PictureCache cache_;
  std::uint64_t hash_ = 0;
};

void check_options(FolderOptions const& options) {
  if (options.size < 8 || options.size > 4096) throw std::invalid_argument("images::open_folder: size is 8 to 4096");
}

std::string without_slashes(std::string folder) {
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return folder;
}

/// Whether \p file is for validation. A function of its name alone.
bool is_for_validation(PictureFile const& file, double share) {
  auto const bits = zero::SplitMix64::mix(zero::fingerprint_of(file.name));
  return static_cast<double>(bits >> 11U) * 0x1p-53 < share;
}

/// Takes the pictures for validation out of \p files, and returns them.
PictureFiles split_off(PictureFiles& files, double share) {
  PictureFiles validation{.root = files.root, .classes = files.classes};
  auto& all = files.files;
  auto const first = std::stable_partition(all.begin(), all.end(),
                                           [&](PictureFile const& file) { return !is_for_validation(file, share); });
  validation.files.assign(std::move_iterator(first), std::move_iterator(all.end()));
  all.erase(first, all.end());
  std::vector<bool> has_training(files.classes.size());
  for (auto const& file : all) has_training[file.of_class] = true;
  for (std::size_t c = 0; c < files.classes.size(); ++c) {
    if (has_training[c]) continue;
    throw DataError(shown_name(files.root + "/" + files.classes[c]) +
                    ": all of its pictures fall to validation: add some, or name a folder to validate on");
  }
  if (validation.files.empty()) {
    throw DataError(shown_name(files.root) +
                    ": has too few pictures to validate on some of them: name a folder to validate on");
  }
  return validation;
}

/// Notes what is unreadable and misnamed; leaves the rest. \throws DataError at the first one, unless they are skipped.
void sort_out(PictureFiles& files, bool skips, FolderReport& report) {
  for (auto const& file : files.files) {
    auto const path = shown_name(files.path_of(file));
    if (!file.problem.empty()) {
      auto const line = path + ": " + file.problem;
      if (!skips) throw DataError(line + advice);
      if (report.unreadable++ == 0) report.first_unreadable = line;
    } else if (file.is_misnamed) {
      if (report.misnamed++ == 0) report.first_misnamed = path;
    }
  }
  std::vector<bool> has_one(files.classes.size());
  std::erase_if(files.files, [&](PictureFile const& file) {
    if (file.problem.empty()) has_one[file.of_class] = true;
    return !file.problem.empty();
  });
  for (std::size_t c = 0; c < files.classes.size(); ++c) {
    if (!has_one[c])
      throw DataError(shown_name(files.root + "/" + files.classes[c]) + ": none of its pictures can be read");
  }
}

/// The pictures in \p root that can be used, and what is to be told of them.
PictureFiles find_pictures(std::string const& root, FolderOptions const& options, FolderReport& report) {
  auto files = list_pictures(root);
  look_at(files, options.skip_unreadable ? Thoroughness::all : Thoroughness::header, options.most_pixels,
          options.threads);
  FolderReport found;
  sort_out(files, options.skip_unreadable, found);
  for (auto const& name : files.classes) {
    if (!zero::is_utf8(name)) {
      throw DataError(shown_name(files.root + "/" + name) + ": the name of a class is to be UTF-8: rename the folder");
    }
  }
  found.pictures = files.files.size();
  found.hidden = files.hidden;
  found.other = files.other;
  report.add(found);
  return files;
}

/// \p folder without slashes at its end. \throws DataError where it is none, or has one part alone.
std::string root_of(std::string const& folder) {
  namespace fs = std::filesystem;
  auto root = without_slashes(folder);
  std::error_code error;
  auto const status = fs::status(root, error);
  if (!fs::exists(status)) throw DataError(shown_name(root) + ": is not there, or cannot be read");
  if (!fs::is_directory(status)) throw DataError(shown_name(root) + ": is no folder");
  if (fs::is_directory(root + "/train", error) && !has_parts(root)) {
    throw DataError(shown_name(root) + ": has a folder train and none called val: name the two by --data " +
                    shown_name(root) + "/train and --val-data");
  }
  return root;
}

}  // namespace

void FolderReport::add(FolderReport const& found) {
  if (misnamed == 0) first_misnamed = found.first_misnamed;
  if (unreadable == 0) first_unreadable = found.first_unreadable;
  pictures += found.pictures;
  hidden += found.hidden;
  other += found.other;
  misnamed += found.misnamed;
  unreadable += found.unreadable;
}

std::vector<std::string> FolderReport::lines() const {
  std::vector<std::string> all;
  if (hidden > 0) all.push_back(counted(hidden, "hidden name") + " left out");
  if (other > 0) all.push_back(counted(other, "file") + " left out, without the ending .jpg, .jpeg or .png in a class");
  if (misnamed > 0) {
    all.push_back(counted(misnamed, "picture") + " with the ending of another format, as " + first_misnamed);
  }
  if (unreadable > 0) all.push_back(counted(unreadable, "unreadable picture") + " left out: " + first_unreadable);
  return all;
}

bool has_parts(std::string const& folder) {
  std::error_code error;
  return std::filesystem::is_directory(folder + "/train", error) &&
         std::filesystem::is_directory(folder + "/val", error);
}

OpenedFolder open_folder(std::string const& folder, FolderOptions const& options) {
  check_options(options);
  auto root = root_of(folder);
  if (has_parts(root)) root += options.split == PictureSplit::train ? "/train" : "/val";
  OpenedFolder opened;
  opened.pictures = std::make_shared<PictureFolder>(find_pictures(root, options, opened.report), options);
  return opened;
}

OpenedParts open_parts(std::string const& folder, FolderOptions const& options,
                       std::optional<double> validation_share) {
  check_options(options);
  if (validation_share && !(*validation_share > 0.0 && *validation_share < 1.0)) {
    throw std::invalid_argument("images::open_parts: validation_share is above 0 and below 1");
  }
  auto const root = root_of(folder);
  bool const are_there = has_parts(root);
  OpenedParts opened;
  auto train = find_pictures(are_there ? root + "/train" : root, options, opened.report);
  std::optional<PictureFiles> validation;
  if (are_there) {
    validation = find_pictures(root + "/val", options, opened.report);
  } else if (validation_share) {
    validation = split_off(train, *validation_share);
  }
  opened.train = std::make_shared<PictureFolder>(std::move(train), options);
  if (validation) opened.validation = std::make_shared<PictureFolder>(std::move(*validation), options);
  return opened;
}

}  // namespace images
