// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "learner.hpp"
#include "options.hpp"
#include "picture_counts.hpp"
#include "picture_source.hpp"
#include "training/ordered_loader.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace images {

/// The first class that \p mine and \p others have not alike, as "class 3 is 'cat' here, and 'dog' there"; nothing
/// where they are equal.
[[nodiscard]] std::optional<std::string> difference_of_classes(std::vector<std::string> const& mine,
                                                               std::vector<std::string> const& others);

/// What is to be told of data once.
struct DataNotes {
  std::vector<std::string> lines{};
  UnreadablePictures unreadable{};
};

/// The pictures of a run: those that it trains on, and those that it validates on. Shared by the ranks of a process;
/// any thread may read.
class RunData {
 public:
  /// \throws DataError, in one line, for what is no data, and for validation pictures of other classes.
  [[nodiscard]] static RunData open(Options const& options);

  [[nodiscard]] std::string const& name() const noexcept { return name_; }
  [[nodiscard]] std::vector<std::string> const& classes() const noexcept { return train_->classes(); }
  [[nodiscard]] std::uint64_t training_pictures() const noexcept { return train_->size(); }
  [[nodiscard]] std::uint64_t validation_pictures() const noexcept { return validation_ ? validation_->size() : 0; }
  [[nodiscard]] PictureSize size() const noexcept { return train_->picture_size(); }
  [[nodiscard]] ColourNorm const& norm() const noexcept { return train_->norm(); }
  /// What is to be told of the data once, a line each.
  [[nodiscard]] std::vector<std::string> const& notes() const noexcept { return notes_.lines; }
  /// What tells these training pictures from others.
  [[nodiscard]] std::string identity() const;
  /// What tells the validation pictures from others.
  [[nodiscard]] std::string validation_identity() const;
  [[nodiscard]] PictureCounts counts() const;

  /// The picture that a run with \p seed takes as its \p k-th, from 0 on, of all ranks: each epoch has an order of its
  /// own, which follows from the seed and its number, and so has what is changed of the picture. \p into takes its
  /// values; returns its class.
  std::int64_t training_picture(std::uint64_t seed, std::uint64_t k, AugmentChoice augment,
                                std::span<float> into) const;
  std::int64_t validation_picture(std::size_t i, std::span<float> into) const;

 private:
  using Order = std::shared_ptr<std::vector<std::uint32_t> const>;
  struct Orders {
    std::mutex mutex;
    std::vector<std::pair<std::uint64_t, Order>> of_epochs;  ///< by a hash of seed and epoch; the last few
  };
  [[nodiscard]] Order order_of(std::uint64_t seed, std::uint64_t epoch) const;

  std::string name_;
  DataNotes notes_;
  std::shared_ptr<PictureSource const> train_, validation_;
  std::shared_ptr<Orders> orders_ = std::make_shared<Orders>();
};

/// Pictures of one micro-batch.
struct PictureBatch {
  std::vector<float> pictures;
  std::vector<std::int64_t> labels;

  [[nodiscard]] LabelledPictures view() const noexcept { return {pictures, labels}; }
};

/// Where a rank begins to take micro-batches, and which are its own.
struct FeedPlace {
  std::uint64_t first_step = 0;
  std::uint64_t rank = 0, world = 1;
  std::uint64_t micro_batches = 1;  ///< of a step of all ranks
};

/// The micro-batches of one rank, loaded ahead in the order in which a run takes them.
class TrainingFeed {
 public:
  /// \p data is borrowed.
  TrainingFeed(RunData const& data, Options const& options, std::uint64_t seed, FeedPlace const& place);
  /// The next micro-batch of this rank. Valid until the next call. \throws DataError.
  LabelledPictures take();

 private:
  PictureBatch batch_;
  training::OrderedLoader<PictureBatch> loader_;
};

/// The validation pictures, each once over all ranks, batch k on rank k modulo their number.
class EvaluationFeed {
 public:
  /// \p data is borrowed.
  EvaluationFeed(RunData const& data, Options const& options, std::uint64_t rank, std::uint64_t world);

  /// Batches of all ranks, and how many each rank takes.
  [[nodiscard]] std::size_t batches() const noexcept { return batches_; }
  [[nodiscard]] std::size_t rounds() const noexcept { return (batches_ + world_ - 1) / world_; }
  /// How many of those count: a rank whose last turn has no batch left has one again, as gathering is collective.
  [[nodiscard]] std::size_t counted() const noexcept { return (batches_ + world_ - 1 - rank_) / world_; }
  /// The next batch of this rank, of the next round. Valid until the next call. \throws DataError.
  LabelledPictures take();

 private:
  std::size_t rank_, world_, batches_;
  PictureBatch batch_;
  training::OrderedLoader<PictureBatch> loader_;
};

}  // namespace images
