// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "images/score_sheet.hpp"

#include <torch/nn/functional/loss.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace images_score_sheet_test {

namespace {

/// How many values of row \p n of \p logits are larger than the one at \p label.
std::int64_t place_of(torch::Tensor const& logits, std::int64_t n, std::int64_t label) {
  auto const* const row = logits.data_ptr<float>() + n * logits.size(1);
  return std::count_if(row, row + logits.size(1), [&](float value) { return value > row[label]; });
}

}  // namespace

TEST_CASE("score sheet: losses, hits and confusions are those that a loop counts, in the order of the batches") {
  for (std::int64_t const classes : {2, 5, 12}) {
    CAPTURE(classes);
    images::ScoreSheet sheet(static_cast<std::size_t>(classes));
    std::vector<images::BatchScore> expected;
    images::Confusion confusion(static_cast<std::size_t>(classes));
    for (std::int64_t const count : {7, 1, 16}) {
      auto const logits = torch::randn({count, classes});
      auto const labels = torch::randint(classes, {count}, torch::kLong);
      auto const loss = torch::nn::functional::cross_entropy(logits, labels);
      sheet.add(logits, labels, loss);
      images::BatchScore score{.loss = loss.item<double>(), .pictures = static_cast<std::uint64_t>(count)};
      for (std::int64_t n = 0; n < count; ++n) {
        auto const label = labels.data_ptr<std::int64_t>()[n];
        auto const place = place_of(logits, n, label);
        score.correct += place == 0 ? 1U : 0U;
        score.correct_top5 += place < 5 ? 1U : 0U;
        auto const predicted = logits[n].argmax().item<std::int64_t>();
        confusion.add_to(static_cast<std::size_t>(label * classes + predicted), 1);
      }
      expected.push_back(score);
    }
    auto const found = sheet.take();
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].loss == expected[i].loss);
      CHECK(found[i].pictures == expected[i].pictures);
      CHECK(found[i].correct == expected[i].correct);
      CHECK(found[i].correct_top5 == expected[i].correct_top5);
    }
    CHECK(sheet.confusion().counts() == confusion.counts());
    CHECK(sheet.take().empty());
  }
}

}  // namespace images_score_sheet_test
