// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/layout/unit_table.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace zero::detail {

/// Where the blocks of each unit lie while they are gathered: any `window` units in a row and all tied ones find room
/// beside each other, whatever was gathered before and is not held any more. Tied units have places of their own, and
/// are no part of a row. In a window of two, which is what prefetching one unit needs, units lie at the two ends by
/// turns: no arena could do with less. In a wider one the k-th, (k + window)-th, ... unit take turns in one place, as
/// large as the largest of them.
class GatherPlaces {
 public:
  static constexpr std::size_t none = SIZE_MAX;

  /// Room for \p elements, in which no block has a place.
  explicit GatherPlaces(std::size_t elements) noexcept : elements_(elements) {}
  /// For the blocks of \p units. \p window is at least 1.
  ZERO_OUT_OF_LINE GatherPlaces(UnitTable const& units, std::size_t window) : offsets_(end_of_blocks(units)) {
    for (auto& offset : offsets_) offset = none;
    FixedArray<UnitTable::Unit const*> row(units.size());
    std::size_t length = 0;
    for (std::size_t u = 0; u < units.size(); ++u) {
      if (units[u].in_order) row[length++] = &units[u];
    }
    elements_ = window == 2 ? place_at_two_ends({row.begin(), length}) : place_by_turns({row.begin(), length}, window);
    for (std::size_t u = 0; u < units.size(); ++u) {
      if (units[u].in_order) continue;
      place(units[u], elements_);
      elements_ += units[u].elements;
    }
  }
  /// Elements of all of it.
  [[nodiscard]] std::size_t elements() const noexcept { return elements_; }
  /// Where \p block begins; `none` where it has no place.
  [[nodiscard]] std::size_t operator[](std::size_t block) const noexcept {
    return block < offsets_.size() ? offsets_[block] : none;
  }

 private:
  using Row = std::span<UnitTable::Unit const* const>;

  [[nodiscard]] static std::size_t end_of_blocks(UnitTable const& units) noexcept {
    std::size_t end = 0;
    for (std::size_t u = 0; u < units.size(); ++u) {
      for (auto block : units[u].blocks) end = std::max<std::size_t>(end, block + 1);
    }
    return end;
  }

  [[nodiscard]] std::size_t place_at_two_ends(Row row) {
    std::size_t elements = 0;
    for (std::size_t u = 0; u < row.size(); ++u) {
      elements = (std::max)(elements, row[u]->elements + (u + 1 < row.size() ? row[u + 1]->elements : 0));
    }
    for (std::size_t u = 0; u < row.size(); ++u) place(*row[u], u % 2 == 0 ? 0 : elements - row[u]->elements);
    return elements;
  }

  [[nodiscard]] std::size_t place_by_turns(Row row, std::size_t window) {
    std::size_t begin = 0;
    for (std::size_t turn = 0; turn < window && turn < row.size(); ++turn) {
      std::size_t largest = 0;
      for (std::size_t u = turn; u < row.size(); u += window) {
        largest = (std::max)(largest, row[u]->elements);
        place(*row[u], begin);
      }
      begin += largest;
    }
    return begin;
  }

  void place(UnitTable::Unit const& unit, std::size_t begin) {
    for (std::size_t i = 0; i < unit.blocks.size(); ++i) {
      offsets_[unit.blocks[i]] = begin;
      begin += unit.block_elements[i];
    }
  }

  FixedArray<std::size_t> offsets_;  // by block
  std::size_t elements_ = 0;
};

}  // namespace zero::detail
