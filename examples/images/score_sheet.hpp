// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "batch_score.hpp"
#include "confusion.hpp"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace images {

/// Scores of batches, summed up where their logits are, and read all at once.
class ScoreSheet {
 public:
  /// Counts which class was taken for which, too, of a model of \p classes; 0: does not.
  explicit ScoreSheet(std::size_t classes = 0) : classes_(static_cast<std::int64_t>(classes)) {}

  /// A batch of \p logits, [N, classes] in fp32, for \p labels, [N], whose mean loss is \p loss, []; all on one device,
  /// whose current stream does the work. Waits for nothing.
  void add(torch::Tensor const& logits, torch::Tensor const& labels, torch::Tensor const& loss) {
    torch::NoGradGuard const guard;
    auto const five = std::min<std::int64_t>(5, logits.size(1));
    auto const likeliest = std::get<1>(logits.detach().topk(five, 1));
    auto const hits = likeliest.eq(labels.unsqueeze(1));
    rows_.push_back(torch::stack(
        {loss.detach().to(torch::kDouble), hits.select(1, 0).sum().to(torch::kDouble), hits.sum().to(torch::kDouble)}));
    pictures_.push_back(static_cast<std::uint64_t>(labels.size(0)));
    if (classes_ > 0) count(labels, likeliest.select(1, 0));
  }

  /// The scores of what was added since the last call, in its order. Waits for the device.
  [[nodiscard]] std::vector<BatchScore> take() {
    std::vector<BatchScore> scores;
    if (rows_.empty()) return scores;
    auto const rows = torch::stack(rows_).to(torch::kCPU);
    auto const* at = rows.data_ptr<double>();
    for (auto const pictures : pictures_) {
      scores.push_back({.loss = at[0],
                        .pictures = pictures,
                        .correct = static_cast<std::uint64_t>(at[1]),
                        .correct_top5 = static_cast<std::uint64_t>(at[2])});
      at += columns;
    }
    rows_.clear();
    pictures_.clear();
    return scores;
  }

  /// Which class was taken for which, in all that was added. Waits for the device.
  [[nodiscard]] Confusion confusion() const {
    Confusion found(static_cast<std::size_t>(classes_));
    if (!counts_.defined()) return found;
    auto const counts = counts_.to(torch::kCPU);
    auto const* const at = counts.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < classes_ * classes_; ++i) {
      found.add_to(static_cast<std::size_t>(i), static_cast<std::uint64_t>(at[i]));
    }
    return found;
  }

 private:
  static constexpr std::ptrdiff_t columns = 3;

  void count(torch::Tensor const& labels, torch::Tensor const& predicted) {
    if (!counts_.defined()) counts_ = torch::zeros({classes_ * classes_}, labels.options());
    counts_.scatter_add_(0, labels * classes_ + predicted, torch::ones_like(labels));
  }

  std::int64_t classes_;
  std::vector<torch::Tensor> rows_;  // [3] in fp64: loss, right ones, those among five
  std::vector<std::uint64_t> pictures_;
  torch::Tensor counts_;  // [classes * classes], row-major: a row is a class that is right
};

}  // namespace images
