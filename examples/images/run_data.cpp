// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "run_data.hpp"

#if defined(IMAGES_READ_FILES)
#include "pictures/picture_folder.hpp"
#endif
#include "support/data_error.hpp"
#include "synthetic.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace images {
namespace {

using command_line::DataError;
using training::CounterRandom;

// What random numbers are drawn for.
constexpr std::uint64_t order_use = 1, picture_use = 2;

training::LoadOptions load_options(Options const& options) {
  return {.workers = options.workers.value_or(2), .prefetch = options.prefetch};
}

/// Micro-batches of a rank in each step.
std::uint64_t rounds_of(FeedPlace const& place) {
  return (place.micro_batches + place.world - 1 - place.rank) / place.world;
}

using Source = std::shared_ptr<PictureSource const>;

/// The parts of a run's pictures.
struct Parts {
  Source train, validation;
};

#if defined(IMAGES_READ_FILES)
FolderOptions folder_options(Options const& options, PictureSplit split) {
  return {.split = split,
          .size = options.image_size.value_or(224),
          .most_pixels = options.most_pixels,
          .skip_unreadable = options.skip_unreadable,
          .cache_bytes = options.cache,
          .threads = std::max<std::size_t>(1, options.workers.value_or(2))};
}

/// Adds the lines of a report that were not said yet, and what was left out.
void take_report(FolderReport const& report, DataNotes& notes) {
  for (auto& line : report.lines()) {
    if (std::find(notes.lines.begin(), notes.lines.end(), line) == notes.lines.end()) {
      notes.lines.push_back(std::move(line));
    }
  }
  if (notes.unreadable.count == 0) notes.unreadable.first = report.first_unreadable;
  notes.unreadable.count += report.unreadable;
}

Source open_files(std::string const& folder, PictureSplit split, Options const& options, DataNotes& notes) {
  auto opened = open_folder(folder, folder_options(options, split));
  take_report(opened.report, notes);
  return std::move(opened.pictures);
}

Parts open_file_parts(std::string const& folder, Options const& options, DataNotes& notes) {
  auto const share = options.validation_share > 0.0 ? std::optional(options.validation_share) : std::nullopt;
  auto opened = open_parts(folder, folder_options(options, PictureSplit::train), share);
  take_report(opened.report, notes);
  return {std::move(opened.train), std::move(opened.validation)};
}
#else
bool has_parts(std::string const& /*folder*/) { return false; }

[[noreturn]] void refuse_files(std::string const& folder) {
  throw DataError(folder +
                  ": is no folder of CIFAR's, and this program was built without libjpeg and libpng, which "
                  "read pictures: install them (Debian: libjpeg-dev libpng-dev), and build it again");
}
Source open_files(std::string const& folder, PictureSplit /*split*/, Options const& /*options*/, DataNotes& /*notes*/) {
  refuse_files(folder);
}
Parts open_file_parts(std::string const& folder, Options const& /*options*/, DataNotes& /*notes*/) {
  refuse_files(folder);
}
#endif

std::string identity_of(PictureSource const& pictures) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%zu pictures, %016llx", pictures.size(),
                static_cast<unsigned long long>(pictures.hash()));
  return text.data();
}

Source open_synthetic(std::size_t count, Options const& options) {
  for (auto const* const option : {"--augment", "--cache", "--max-pixels", "--skip-unreadable"}) {
    if (options.asked.has(option))
      throw UsageError(option + std::string(": is of pictures, and not of synthetic ones"));
  }
  return make_synthetic({.count = count,
                         .classes = options.classes.value_or(SyntheticPictures().classes),
                         .size = options.image_size.value_or(SyntheticPictures().size)});
}

/// Those to validate on are the share of their number that a folder's would be.
Parts open_synthetic_parts(std::size_t count, Options const& options) {
  auto const share = static_cast<std::size_t>(options.validation_share * static_cast<double>(count));
  return {open_synthetic(count, options),
          options.validation_share > 0.0 ? open_synthetic(std::max<std::size_t>(1, share), options) : nullptr};
}

/// Options that CIFAR's layout has nothing of.
void refuse_options_of_files(std::string const& folder, Options const& options) {
  for (auto const* const option : {"--image-size", "--val-share", "--cache", "--skip-unreadable"}) {
    if (options.asked.has(option))
      throw UsageError(option + std::string(": is of JPEG and PNG files, and not of ") + folder);
  }
}

Source open_source(std::string const& folder, PictureSplit split, Options const& options, DataNotes& notes) {
  if (auto const count = synthetic_count(folder)) return open_synthetic(*count, options);
  auto found = open_cifar(folder, split);
  if (!found) return open_files(folder, split, options, notes);
  refuse_options_of_files(folder, options);
  return found;
}

/// Both parts of \p folder, which is read once.
Parts open_both(std::string const& folder, Options const& options, DataNotes& notes) {
  if (auto const count = synthetic_count(folder)) return open_synthetic_parts(*count, options);
  if (is_cifar(folder)) {
    return {open_source(folder, PictureSplit::train, options, notes),
            open_source(folder, PictureSplit::validation, options, notes)};
  }
  if (options.asked.has("--val-share") && has_parts(folder)) {
    throw UsageError("--val-share: " + folder + " has a part val, which says what to validate on: leave it out");
  }
  return open_file_parts(folder, options, notes);
}

/// The folder of a part, to people.
std::string name_of(std::string const& folder, char const* part) {
  return is_cifar(folder) || !has_parts(folder) ? folder : folder + "/" + part;
}

}  // namespace

std::optional<std::string> difference_of_classes(std::vector<std::string> const& mine,
                                                 std::vector<std::string> const& others) {
  for (std::size_t c = 0; c < std::max(mine.size(), others.size()); ++c) {
    if (c < mine.size() && c < others.size() && mine[c] == others[c]) continue;
    auto const name = [c](std::vector<std::string> const& names) {
      return c < names.size() ? "'" + names[c] + "'" : std::string("missing");
    };
    return "class " + std::to_string(c) + " is " + name(mine) + " here, and " + name(others) + " there";
  }
  return std::nullopt;
}

RunData RunData::open(Options const& options) {
  if (options.validation_data && options.asked.has("--val-share")) {
    throw UsageError("--val-share: --val-data says what to validate on: give one of the two");
  }
  RunData data;
  data.name_ = *options.data;
  auto const& place = options.validation_data.value_or(data.name_);
  auto parts = options.validation_data ? Parts{open_source(data.name_, PictureSplit::train, options, data.notes_),
                                               open_source(place, PictureSplit::validation, options, data.notes_)}
                                       : open_both(data.name_, options, data.notes_);
  data.train_ = std::move(parts.train);
  data.validation_ = std::move(parts.validation);
  if (!data.validation_) return data;
  if (auto const other = difference_of_classes(data.validation_->classes(), data.train_->classes())) {
    throw DataError(name_of(place, "val") + ": has other classes than " + name_of(data.name_, "train") + ": " + *other +
                    ": give the folders of a class one name");
  }
  return data;
}

std::string RunData::identity() const { return identity_of(*train_); }

PictureCounts RunData::counts() const {
  return {.training = training_pictures(), .validation = validation_pictures(), .unreadable = notes_.unreadable};
}

std::string RunData::validation_identity() const { return validation_ ? identity_of(*validation_) : "none"; }

RunData::Order RunData::order_of(std::uint64_t seed, std::uint64_t epoch) const {
  CounterRandom const random = CounterRandom(seed).with(order_use).with(epoch);
  auto const key = random.bits(0);
  std::lock_guard const lock(orders_->mutex);
  auto& known = orders_->of_epochs;
  for (auto const& [of, order] : known) {
    if (of == key) return order;
  }
  auto made = std::make_shared<std::vector<std::uint32_t>>(train_->size());
  std::iota(made->begin(), made->end(), 0U);
  // Fisher and Yates, from the end.
  for (std::size_t n = made->size(); n > 1; --n) std::swap((*made)[n - 1], (*made)[random.below(n, n)]);
  if (known.size() > 3) known.erase(known.begin());
  known.emplace_back(key, made);
  return made;
}

std::int64_t RunData::training_picture(std::uint64_t seed, std::uint64_t k, AugmentChoice augment,
                                       std::span<float> into) const {
  auto const epoch = k / train_->size();
  auto const i = (*order_of(seed, epoch))[k % train_->size()];
  auto const draws = CounterRandom(seed).with(picture_use).with(epoch).with(i);
  return train_->read(i, augment == AugmentChoice::none ? nullptr : &draws, into);
}

std::int64_t RunData::validation_picture(std::size_t i, std::span<float> into) const {
  return validation_->read(i, nullptr, into);
}

TrainingFeed::TrainingFeed(RunData const& data, Options const& options, std::uint64_t seed, FeedPlace const& place)
    : loader_(load_options(options), rounds_of(place) > 0 ? std::uint64_t{1} << 62U : 0,
              [&data, &options, seed, place](std::uint64_t n, PictureBatch& batch) {
                auto const rounds = rounds_of(place);
                auto const step = place.first_step + n / rounds, index = n % rounds * place.world + place.rank;
                auto const first = (step * place.micro_batches + index) * options.batch;
                auto const values = data.size().values();
                batch.pictures.resize(options.batch * values);
                batch.labels.resize(options.batch);
                for (std::size_t i = 0; i < options.batch; ++i) {
                  batch.labels[i] = data.training_picture(seed, first + i, options.augment,
                                                          std::span(batch.pictures).subspan(i * values, values));
                }
              }) {}

LabelledPictures TrainingFeed::take() {
  loader_.take(batch_);
  return batch_.view();
}

EvaluationFeed::EvaluationFeed(RunData const& data, Options const& options, std::uint64_t rank, std::uint64_t world)
    : rank_(rank),
      world_(world),
      batches_((data.validation_pictures() + options.batch - 1) / options.batch),
      loader_(load_options(options), rounds(), [&data, &options, this](std::uint64_t n, PictureBatch& batch) {
        // A rank whose turn has no batch left repeats one, as gathering is collective.
        auto const k = std::min<std::uint64_t>(n * world_ + rank_, batches_ - 1);
        auto const first = k * options.batch;
        auto const count = std::min<std::uint64_t>(options.batch, data.validation_pictures() - first);
        auto const values = data.size().values();
        batch.pictures.resize(count * values);
        batch.labels.resize(count);
        for (std::size_t i = 0; i < count; ++i) {
          batch.labels[i] = data.validation_picture(first + i, std::span(batch.pictures).subspan(i * values, values));
        }
      }) {}

LabelledPictures EvaluationFeed::take() {
  loader_.take(batch_);
  return batch_.view();
}

}  // namespace images
