// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace images {

/// Of how many pictures of each class a model has said which class.
class Confusion {
 public:
  /// \p classes of the model.
  explicit Confusion(std::size_t classes) : classes_(classes), counts_(classes * classes) {}

  /// \p more pictures to number \p i of `counts`.
  void add_to(std::size_t i, std::uint64_t more) { counts_[i] += more; }
  /// Row-major: a row is a class that is right, and a column one that was predicted.
  [[nodiscard]] std::vector<std::uint64_t> const& counts() const noexcept { return counts_; }

  [[nodiscard]] std::uint64_t pictures_of(std::size_t right) const;
  [[nodiscard]] std::uint64_t at(std::size_t right, std::size_t predicted) const {
    return counts_[right * classes_ + predicted];
  }
  /// Lines of a table of those that have pictures: the accuracy of each class, and, of up to 20 classes, how often it
  /// was taken for each other one; of more, the pairs that were taken for each other most often.
  [[nodiscard]] std::string to_table(std::vector<std::string> const& names) const;

 private:
  std::size_t classes_;
  std::vector<std::uint64_t> counts_;
};

}  // namespace images
