// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <images/history.hpp>

#include "support/data_error.hpp"
#include "support/usage_error.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

namespace images_history_test {

using images::History;
using images::Tally;

TEST_CASE("image history: means are over pictures, not over batches") {
  Tally tally;
  CHECK(tally.accuracy() == 0.0);
  tally.add({.loss = 1.0, .pictures = 30, .correct = 15, .correct_top5 = 30});
  tally.add({.loss = 4.0, .pictures = 10, .correct = 5, .correct_top5 = 6});
  CHECK(tally.loss() == 1.75);
  CHECK(tally.accuracy() == 0.5);
  CHECK(tally.accuracy_top5() == 0.9);
  auto const again = Tally::parse(tally.to_text());
  CHECK(again.loss() == tally.loss());
  CHECK(again.to_text() == tally.to_text());
  CHECK_THROWS_AS((void)Tally::parse("1.5 three"), command_line::DataError);
}

TEST_CASE("image history: an object of lists, which reads back, also what is whole or not finite") {
  History history;
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  history.add(
      {.epoch = 1, .train_loss = 2.5, .train_accuracy = 0.25, .val_loss = none, .val_accuracy = none, .lr = 1e-3});
  history.add({.epoch = 2, .train_loss = 1.0, .train_accuracy = 1.0, .val_loss = 0.1, .val_accuracy = 1.0, .lr = 5e-4});
  auto const json = history.to_json();
  CHECK(json.find("{\"epoch\": [1, 2],\n \"train_loss\": [2.5, 1],\n \"train_acc\": [0.25, 1],\n \"val_loss\": [null, "
                  "0.1]") == 0);
  auto const again = History::parse(json);
  CHECK(again.to_json() == json);
  REQUIRE(again.epochs().size() == 2);
  CHECK(std::isnan(again.epochs()[0].val_loss));
  CHECK(again.epochs()[1].train_accuracy == 1.0);
  CHECK(History::parse(History().to_json()).epochs().empty());
  CHECK_THROWS_AS((void)History::parse("{\"epoch\": [1]}"), command_line::DataError);
}

TEST_CASE("image history: an epoch that is done again takes the place of those that followed it") {
  History history;
  for (std::uint64_t epoch = 1; epoch <= 4; ++epoch) history.add({.epoch = epoch, .train_loss = 1.0});
  history.add({.epoch = 2, .train_loss = 9.0});
  REQUIRE(history.epochs().size() == 2);
  CHECK(history.epochs()[1].train_loss == 9.0);
}

TEST_CASE("image history: a file that cannot be written is refused before the run") {
  CHECK_THROWS_AS(images::HistoryFile("/there is no such folder/history.json"), command_line::UsageError);
  CHECK_THROWS_AS(images::HistoryFile("/"), command_line::UsageError);
}

}  // namespace images_history_test
