// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the plain loop wants to know of a step's sums of gradients. Nothing of zero is included.

#include "differential/mutants.hpp"
#include "differential/outcome.hpp"
#include "differential/plain_numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace differential {

/// The norm of sums of gradients, and whether all of them are finite.
class PlainNorm {
 public:
  PlainNorm(Values const& sums, Mutant mutant) : sums_(sums), mutant_(mutant) {}

  [[nodiscard]] double sum_of_squares() const {
    if (is(Mutant::norm_without_blocks)) {
      double naive = 0.0;
      for (auto const& sum : sums_) {
        for (auto g : sum) naive += square(g);
      }
      return naive;
    }
    ExactNumber total;
    if (is(Mutant::norm_blocks_over_parameters)) {
      std::vector<float> all;
      for (auto const& sum : sums_) all.insert(all.end(), sum.begin(), sum.end());
      add_squares(total, all);
    } else {
      for (auto const& sum : sums_) add_squares(total, sum);
    }
    return total.value();
  }

  [[nodiscard]] int first_bad_parameter() const {
    for (std::size_t p = 0; p < sums_.size(); ++p) {
      if (std::any_of(sums_[p].begin(), sums_[p].end(), [](float g) { return !std::isfinite(g); })) {
        return static_cast<int>(p);
      }
    }
    return -1;
  }

 private:
  [[nodiscard]] bool is(Mutant mutant) const { return mutant_ == mutant; }
  static double square(float g) { return std::isfinite(g) ? static_cast<double>(g) * static_cast<double>(g) : 0.0; }

  // Blocks of 128 elements of a parameter in a tree, element i with i + 64, then with i + 32; blocks exactly.
  void add_squares(ExactNumber& total, std::vector<float> const& sum) const {
    for (std::size_t begin = 0; begin < sum.size(); begin += 128) {
      std::array<double, 128> squares{};
      for (std::size_t i = begin; i < std::min(sum.size(), begin + 128); ++i) squares[i - begin] = square(sum[i]);
      if (is(Mutant::norm_blocks_without_tree)) {
        for (std::size_t i = 1; i < 128; ++i) squares[0] += squares[i];
      } else {
        for (std::size_t half = 64; half > 0; half /= 2) {
          for (std::size_t i = 0; i < half; ++i) squares[i] += squares[i + half];
        }
      }
      total.add(squares[0]);
    }
  }

  Values const& sums_;
  Mutant mutant_;
};

}  // namespace differential
