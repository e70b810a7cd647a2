// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/flat_layout.hpp>
#include <zero/parameter.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/reusable_vector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace zero::detail {

/// The units (layers) of what is gathered, by number: which blocks belong to each, and how large it is.
class UnitTable {
 public:
  struct Unit {
    int number = 0;
    std::size_t elements = 0;
    bool in_order = true;  ///< no tied parameters, whose use does not follow the order of units
    ReusableVector<std::uint32_t> blocks;
    ReusableVector<std::size_t> block_elements;  ///< of each of them
  };

  /// For up to \p units of them.
  explicit UnitTable(std::size_t units) : units_(units) {}
  /// The units of what \p layout shards, which are gathered before use. A parameter with several contributions is tied.
  [[nodiscard]] ZERO_OUT_OF_LINE static UnitTable of_sharded(FlatLayout const& layout,
                                                             std::vector<ParameterSpec> const& specs) {
    UnitTable units(layout.blocks().size());
    for (std::uint32_t i = 0; i < layout.blocks().size(); ++i) {
      auto const& block = layout.blocks()[i];
      if (block.whole) continue;
      bool in_order = true;
      for (auto const& segment : layout.buckets()[block.first_bucket].segments) {
        if (specs[segment.parameter].contributions > 1) in_order = false;
      }
      units.add(block.unit, i, block.elements, in_order);
    }
    return units;
  }

  /// Enters \p block, which holds \p elements of \p unit.
  void add(int unit, std::uint32_t block, std::size_t elements, bool in_order) {
    std::size_t const at = find(unit);
    if (at == size_ || units_[at].number != unit) {
      units_[size_].number = unit;
      for (std::size_t i = size_++; i > at; --i) std::swap(units_[i], units_[i - 1]);
    }
    units_[at].elements += elements;
    units_[at].blocks.push_back(block);
    units_[at].block_elements.push_back(elements);
    units_[at].in_order = units_[at].in_order && in_order;
  }

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] Unit const& operator[](std::size_t at) const noexcept { return units_[at]; }
  /// Index of the first unit whose number is not below \p number.
  [[nodiscard]] std::size_t find(int number) const noexcept {
    auto const* const begin = units_.begin();
    auto const below = [number](Unit const& unit) { return unit.number < number; };
    return static_cast<std::size_t>(std::partition_point(begin, begin + size_, below) - begin);
  }

  [[nodiscard]] std::size_t elements() const noexcept {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) sum += units_[i].elements;
    return sum;
  }

 private:
  FixedArray<Unit> units_;
  std::size_t size_ = 0;
};

}  // namespace zero::detail
