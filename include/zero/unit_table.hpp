// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace zero {

/// The units (layers) of what is gathered, by number: which blocks belong to each, and how large it is.
class UnitTable {
 public:
  struct Unit {
    int number = 0;
    std::size_t elements = 0;
    bool in_order = true;  ///< no tied parameters, whose use does not follow the order of units
    std::vector<std::uint32_t> blocks;
  };

  /// Enters \p block, which holds \p elements of \p unit.
  void add(int unit, std::uint32_t block, std::size_t elements, bool in_order) {
    std::size_t const at = find(unit);
    if (at == units_.size() || units_[at].number != unit) {
      units_.emplace_back().number = unit;
      for (std::size_t i = units_.size() - 1; i > at; --i) std::swap(units_[i], units_[i - 1]);
    }
    units_[at].elements += elements;
    units_[at].blocks.push_back(block);
    units_[at].in_order = units_[at].in_order && in_order;
  }

  [[nodiscard]] std::size_t size() const noexcept { return units_.size(); }
  [[nodiscard]] Unit const& operator[](std::size_t at) const noexcept { return units_[at]; }
  /// Place of the first unit whose number is not below \p number.
  [[nodiscard]] std::size_t find(int number) const noexcept {
    std::size_t first = 0;
    for (std::size_t end = units_.size(); first < end;) {
      std::size_t const middle = (first + end) / 2;
      if (units_[middle].number < number) {
        first = middle + 1;
      } else {
        end = middle;
      }
    }
    return first;
  }

  [[nodiscard]] std::size_t elements() const noexcept {
    std::size_t sum = 0;
    for (auto const& unit : units_) sum += unit.elements;
    return sum;
  }
  [[nodiscard]] std::size_t elements_out_of_order() const noexcept {
    std::size_t sum = 0;
    for (auto const& unit : units_) sum += unit.in_order ? 0 : unit.elements;
    return sum;
  }
  [[nodiscard]] std::size_t largest() const noexcept {
    std::size_t largest = 0;
    for (auto const& unit : units_) largest = unit.elements > largest ? unit.elements : largest;
    return largest;
  }

 private:
  std::vector<Unit> units_;
};

}  // namespace zero
