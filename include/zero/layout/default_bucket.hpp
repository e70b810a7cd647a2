// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/bucket.hpp>
#include <zero/flat_layout.hpp>
#include <zero/layout/unit_table.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/reusable_vector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero::detail {

/// The capacity of a bucket where nobody asks for one: 2^22 elements below stage 2, where it costs no memory. At stages
/// 2 and 3 one that costs little, of those that leave buckets large enough to travel well and enough of them to overlap
/// backward: see docs/decisions.md. Units are kept together then. A function of the parameters and the settings, the
/// same on every rank and backend.
class DefaultBucket {
 public:
  /// \p specs are borrowed. \throws ConfigurationError, as FlatLayout.
  DefaultBucket(std::vector<ParameterSpec> const& specs, LayoutSettings const& settings)
      : specs_(specs), settings_(settings) {}

  /// The settings of the layout with that capacity.
  [[nodiscard]] ZERO_OUT_OF_LINE LayoutSettings settings() {
    settings_.bucket_elements = LayoutSettings{}.bucket_elements;
    if (settings_.stage < Stage::gradients) return settings_;
    settings_.units_together = true;
    list_capacities(settings_.bucket_elements);
    std::size_t const stride = capacities_.size() / most_choices + 1;
    for (std::size_t i = capacities_.size(); i > 0; i -= i < stride ? i : stride) {
      if (large_elements(capacities_[i - 1]) > tolerable()) break;  // and of all smaller ones
      measure(capacities_[i - 1]);
    }
    settings_.bucket_elements = fewest_buckets();
    return settings_;
  }

  /// What a layout costs a rank of stages 2 and 3 besides the model states, in elements of device memory: the gradient
  /// ring, slots of their own, a bucket that a communicator or an offload stages, and padding.
  [[nodiscard]] static std::size_t cost(FlatLayout const& layout) noexcept {
    std::size_t in_ring = 0;
    std::size_t slot = 0;
    std::size_t own = 0;
    std::size_t bucket = 0;
    for (auto const& block : layout.blocks()) {
      if (block.slot == GradientSlot::own) own += block.elements;
      if (block.slot != GradientSlot::ring) continue;
      slot = (std::max)(slot, block.elements);
      ++in_ring;
    }
    for (std::size_t b = 0; b < layout.trainable_buckets(); ++b) {
      bucket = (std::max)(bucket, layout.buckets()[b].elements);
    }
    return (std::min)(layout.default_gradient_ring(), in_ring) * slot + own + bucket + layout.padding_elements();
  }

 private:
  struct Choice {
    std::size_t capacity, cost, buckets;
  };
  static constexpr std::size_t most_choices = 64;

  ZERO_OUT_OF_LINE void list_capacities(std::size_t usual) {
    settings_.bucket_elements = SIZE_MAX;
    FlatLayout const together(specs_, settings_);  // what can share the ring does
    std::size_t trainable = 0;
    UnitTable units(specs_.size());
    for (std::uint32_t i = 0; i < specs_.size(); ++i) {
      auto const& extent = together.extents()[i];
      auto const slot = together.blocks()[extent.block].slot;
      if (slot != GradientSlot::none) trainable += extent.count;
      if (slot != GradientSlot::ring) continue;
      sizes_.push_back(extent.count);
      units.add(specs_[i].unit, i, extent.count, true);
    }
    capacities_.push_back(std::clamp(trainable / 16, smallest, usual));
    for (auto size : sizes_) {
      add_capacity(size);
      add_capacity(2 * size);
    }
    for (std::size_t u = 0; u < units.size(); ++u) add_capacity(units[u].elements);
  }

  // Where so many elements begin to fit, and a little more: biases lie beside matrices. Of a few leading bits, so that
  // there are not many; in order, each once, none below the first.
  void add_capacity(std::size_t elements) {
    std::size_t step = 1;
    while (elements / step >= 128) step *= 2;
    std::size_t const capacity = (elements / step + 4) * step;
    auto const found = std::lower_bound(capacities_.begin(), capacities_.end(), capacity);
    auto const begin = static_cast<std::size_t>(found - capacities_.begin());
    if (begin == 0 || (begin < capacities_.size() && capacities_[begin] == capacity)) return;
    capacities_.push_back(capacity);
    for (std::size_t i = capacities_.size() - 1; i > begin; --i) capacities_[i] = capacities_[i - 1];
    capacities_[begin] = capacity;
  }

  // Of parameters that would not fit, and have slots of their own.
  [[nodiscard]] std::size_t large_elements(std::size_t capacity) const noexcept {
    std::size_t elements = 0;
    for (auto size : sizes_) elements += size > capacity ? size : 0;
    return elements;
  }

  void measure(std::size_t capacity) {
    settings_.bucket_elements = capacity;
    FlatLayout const layout(specs_, settings_);
    choices_.push_back({capacity, cost(layout), layout.trainable_buckets()});
    least_cost_ = (std::min)(least_cost_, choices_[choices_.size() - 1].cost);
  }

  [[nodiscard]] std::size_t tolerable() const noexcept {
    return least_cost_ == SIZE_MAX ? SIZE_MAX : least_cost_ + least_cost_ / 8;
  }

  [[nodiscard]] std::size_t fewest_buckets() const noexcept {
    Choice const* best = nullptr;
    for (auto const& choice : choices_) {
      if (choice.cost > tolerable()) continue;
      bool const better = best == nullptr || choice.buckets < best->buckets ||
                          (choice.buckets == best->buckets && choice.cost <= best->cost);  // the smallest of equals
      if (better) best = &choice;
    }
    return best->capacity;
  }

  static constexpr std::size_t smallest = std::size_t{1} << 15;

  std::vector<ParameterSpec> const& specs_;
  LayoutSettings settings_;
  ReusableVector<std::size_t> sizes_;  // of parameters whose gradients can share the ring
  ReusableVector<std::size_t> capacities_;
  ReusableVector<Choice> choices_;
  std::size_t least_cost_ = SIZE_MAX;
};

}  // namespace zero::detail
