// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/flat_layout.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero::libtorch::detail {

/// Which gradients may be handed over: one that lies in the gradient ring may, when the buckets before it that use the
/// same place have all of theirs. Autograd's order is the graph's, which need not be the reverse of registration; an
/// engine that is asked for a place too early refuses, or would close a bucket too early.
class HandOverOrder {
 public:
  /// For a ring of \p ring buckets. \p layout is borrowed.
  HandOverOrder(FlatLayout const& layout, std::size_t ring)
      : layout_(layout), needed_(layout.blocks().size()), missing_(layout.trainable_buckets()) {
    if (layout.settings().stage < Stage::gradients) return;
    std::vector<std::size_t> in_ring;
    for (std::size_t k = 0; k < needed_.size(); ++k) {
      if (layout.blocks()[k].slot == GradientSlot::ring) in_ring.push_back(k);
    }
    for (std::size_t k = (std::max)(ring, std::size_t{1}); k < in_ring.size(); ++k) {
      needed_[in_ring[k]] = layout.blocks()[in_ring[k - ring]].first_bucket + 1;
    }
  }

  /// Nothing has been handed over.
  void begin() {
    for (std::size_t b = 0; b < missing_.size(); ++b) missing_[b] = layout_.buckets()[b].segments.size();
    complete_ = 0;
    skip_complete();
  }
  void handed_over(std::uint32_t parameter) {
    auto const& extent = layout_.extents()[parameter];
    for (std::size_t b = extent.first_bucket; b < extent.first_bucket + extent.bucket_count; ++b) --missing_[b];
    skip_complete();
  }

  /// How many buckets must be closed before the gradient of \p parameter has a place.
  [[nodiscard]] std::size_t needed(std::uint32_t parameter) const noexcept {
    return needed_[layout_.extents()[parameter].block];
  }
  /// How many buckets, from the first one on, have all of their gradients.
  [[nodiscard]] std::size_t complete() const noexcept { return complete_; }

 private:
  void skip_complete() noexcept {
    while (complete_ < missing_.size() && missing_[complete_] == 0) ++complete_;
  }

  FlatLayout const& layout_;
  std::vector<std::size_t> needed_;   // by block
  std::vector<std::size_t> missing_;  // by bucket: gradients that have not been handed over
  std::size_t complete_ = 0;
};

}  // namespace zero::libtorch::detail
