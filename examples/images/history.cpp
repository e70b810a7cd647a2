// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "history.hpp"

#include "support/data_error.hpp"
#include "support/json_file.hpp"
#include "support/usage_error.hpp"
#include "training/console.hpp"
#include "training/output_folders.hpp"
#include "training/progress.hpp"

#include <zero/checkpoint/export.hpp>
#include <zero/error.hpp>
#include <zero/utility/json.hpp>
#include <zero/utility/shortest_number.hpp>

#include <array>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <utility>

namespace images {
namespace {

/// A list of the history, and what of an epoch it is.
struct Column {
  char const* name;
  double EpochRecord::*value;
};
constexpr std::array columns{Column{"train_loss", &EpochRecord::train_loss},
                             Column{"train_acc", &EpochRecord::train_accuracy},
                             Column{"val_loss", &EpochRecord::val_loss},
                             Column{"val_acc", &EpochRecord::val_accuracy},
                             Column{"val_acc_top5", &EpochRecord::val_accuracy_top5},
                             Column{"learning_rates", &EpochRecord::lr},
                             Column{"epoch_times", &EpochRecord::seconds}};

/// A number of JSON, whole or not; NaN for null.
double number_of(zero::Json const& value) {
  if (auto const* const number = value.get<double>()) return *number;
  if (auto const* const natural = value.get<std::uint64_t>()) return static_cast<double>(*natural);
  if (auto const* const whole = value.get<std::int64_t>()) return static_cast<double>(*whole);
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void Tally::add(BatchScore const& score) noexcept {
  loss_ += score.loss * static_cast<double>(score.pictures);
  pictures_ += score.pictures;
  correct_ += score.correct;
  correct_top5_ += score.correct_top5;
}

void Tally::add(Tally const& other) noexcept {
  loss_ += other.loss_;
  pictures_ += other.pictures_;
  correct_ += other.correct_;
  correct_top5_ += other.correct_top5_;
}

double Tally::mean(double sum) const noexcept { return pictures_ > 0 ? sum / static_cast<double>(pictures_) : 0.0; }

std::string Tally::to_text() const {
  return zero::shortest_number(loss_) + " " + std::to_string(pictures_) + " " + std::to_string(correct_) + " " +
         std::to_string(correct_top5_);
}

Tally Tally::parse(std::string const& text) {
  std::istringstream words(text);
  Tally tally;
  std::string loss;
  words >> loss >> tally.pictures_ >> tally.correct_ >> tally.correct_top5_;
  if (!words) throw command_line::DataError("the checkpoint's sums of the epoch are '" + text + "', which is no tally");
  tally.loss_ = std::strtod(loss.c_str(), nullptr);
  return tally;
}

void History::add(EpochRecord const& record) {
  while (!epochs_.empty() && epochs_.back().epoch >= record.epoch) epochs_.pop_back();
  epochs_.push_back(record);
}

std::string History::to_json() const {
  std::string text = "{\"epoch\": [";
  for (auto const& epoch : epochs_)
    text.append(&epoch == &epochs_.front() ? "" : ", ").append(std::to_string(epoch.epoch));
  for (auto const& column : columns) {
    text.append("],\n \"").append(column.name).append("\": [");
    for (auto const& epoch : epochs_) {
      text.append(&epoch == &epochs_.front() ? "" : ", ").append(training::json_number(epoch.*column.value));
    }
  }
  return text + "]}\n";
}

History History::parse(std::string const& json) {
  auto const refuse = [] { throw command_line::DataError("the checkpoint's history of epochs is damaged"); };
  auto const value = command_line::parse_json(json);
  auto const list = [&](char const* name) -> zero::Json::Array const& {
    auto const* const member = value.find(name);
    auto const* const found = member == nullptr ? nullptr : member->get<zero::Json::Array>();
    if (found == nullptr) refuse();
    return *found;
  };
  History history;
  for (auto const& epoch : list("epoch")) {
    auto const* const number = epoch.get<std::uint64_t>();
    if (number == nullptr) refuse();
    history.epochs_.push_back({.epoch = *number});
  }
  for (auto const& column : columns) {
    auto const& values = list(column.name);
    if (values.size() != history.epochs_.size()) refuse();
    for (std::size_t i = 0; i < values.size(); ++i) {
      history.epochs_[i].*column.value = number_of(values[i]);  // null: it was not finite
    }
  }
  return history;
}

HistoryFile::HistoryFile(std::optional<std::string> path) : path_(std::move(path)) {
  if (path_) training::expect_writable_file("--history", *path_);
}

void HistoryFile::write(History const& history) {
  if (!path_) return;
  try {
    zero::write_new_file(zero::posix_file_system(), *path_, history.to_json(), true);
  } catch (zero::CheckpointError const& error) {
    if (std::exchange(warned_, true)) return;
    training::console().warn(std::string("--history: ") + error.what() + "; the run goes on without it");
  }
}

}  // namespace images
