// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/flat_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace differential {

/// Which gradients may be handed over now without running ahead of the gradient ring, as the documentation has it: the
/// k-th block of the ring lies in slot k mod R, and is free when the block before it in its slot has been reduced,
/// which happens in the order of the buckets.
class RingModel {
 public:
  /// \p slots: of the ring; 0: as many as the engine takes by itself.
  RingModel(zero::FlatLayout const& layout, std::size_t slots) : layout_(layout), previous_(layout.blocks().size()) {
    if (slots == 0) slots = layout.ring_buckets_of_largest_unit() + 1;
    std::vector<std::uint32_t> ring;
    for (std::uint32_t block = 0; block < previous_.size(); ++block) {
      previous_[block] = nobody;
      if (layout.settings().stage < zero::Stage::gradients || layout.blocks()[block].slot != zero::GradientSlot::ring)
        continue;
      if (ring.size() >= slots) previous_[block] = ring[ring.size() - slots];
      ring.push_back(block);
    }
  }

  /// Starts a micro-batch in which \p arriving[p] gradients of parameter p will be leased.
  void begin(std::vector<std::size_t> const& arriving) {
    arriving_ = arriving;
    next_ = 0;
    reduce();
  }

  [[nodiscard]] bool available(std::size_t parameter) const {
    auto const before = previous_[layout_.extents()[parameter].block];
    return before == nobody || next_ > layout_.blocks()[before].first_bucket;
  }

  void arrive(std::size_t parameter) {
    --arriving_[parameter];
    reduce();
  }

 private:
  static constexpr std::uint32_t nobody = UINT32_MAX;

  void reduce() {
    auto const& buckets = layout_.buckets();
    auto const complete = [this](auto const& segment) { return arriving_[segment.parameter] == 0; };
    while (next_ < layout_.trainable_buckets() &&
           std::all_of(buckets[next_].segments.begin(), buckets[next_].segments.end(), complete)) {
      ++next_;
    }
  }

  zero::FlatLayout const& layout_;
  std::vector<std::uint32_t> previous_;  // by block: the one before it in its slot
  std::vector<std::size_t> arriving_;    // by parameter: leases that are still to come
  std::size_t next_ = 0;                 // the first bucket that has not been reduced
};

}  // namespace differential
