// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace zero::detail {

/// Counts the gradients of one micro-batch, and says which buckets are complete. A bucket that is closed is complete:
/// what has not arrived for it came short, and is refused from then on.
class GradientArrivals {
 public:
  /// \p specs and \p layout must outlive this.
  GradientArrivals(std::vector<ParameterSpec> const& specs, FlatLayout const& layout)
      : specs_(&specs),
        layout_(&layout),
        arrived_(specs.size()),
        came_short_(specs.size()),
        missing_(layout.trainable_buckets()) {
    reset();
  }

  /// Forgets what has arrived.
  void reset() {
    for (auto& arrived : arrived_) arrived = 0;
    for (auto& came_short : came_short_) came_short = false;
    for (std::size_t b = 0; b < missing_.size(); ++b) missing_[b] = layout_->buckets()[b].segments.size();
  }

  /// \throws GradientError where one more gradient of \p id in this micro-batch is one too many, or comes too late.
  void require_expected(ParameterId id) const {
    auto const& spec = (*specs_)[id.index];
    if (spec.frozen || came_short_[id.index] || arrived_[id.index] >= spec.contributions) throw_unexpected(id);
  }

  /// Enters one gradient of \p id. Returns whether it was the last of this micro-batch.
  bool mark_arrived(ParameterId id) {
    require_expected(id);
    if (++arrived_[id.index] < (*specs_)[id.index].contributions) return false;
    complete(id);
    return true;
  }

  /// Takes what has arrived for bucket \p b for all of it, which may be nothing.
  void close(std::size_t b) {
    if (bucket_complete(b)) return;
    for (auto const& segment : layout_->buckets()[b].segments) {
      ParameterId const id{segment.parameter};
      if (is_complete(id)) continue;
      came_short_[id.index] = true;
      complete(id);
    }
  }

  /// Whether nothing more of \p id is waited for.
  [[nodiscard]] bool is_complete(ParameterId id) const noexcept {
    auto const& spec = (*specs_)[id.index];
    return spec.frozen || came_short_[id.index] || arrived_[id.index] == spec.contributions;
  }
  /// Whether a bucket of \p id was closed before all of its gradients had arrived.
  [[nodiscard]] bool came_short(ParameterId id) const noexcept { return came_short_[id.index]; }
  /// Gradients of \p id so far in this micro-batch.
  [[nodiscard]] int arrived(ParameterId id) const noexcept { return arrived_[id.index]; }
  [[nodiscard]] bool bucket_complete(std::size_t bucket) const noexcept { return missing_[bucket] == 0; }

  /// The first trainable parameter whose gradients are not all there; `none` if there is none.
  static constexpr std::uint32_t none = UINT32_MAX;
  [[nodiscard]] std::uint32_t first_missing() const noexcept {
    for (std::uint32_t i = 0; i < arrived_.size(); ++i) {
      if (came_short({i}) || !is_complete({i})) return i;
    }
    return none;
  }

 private:
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_unexpected(ParameterId id) const {
    auto const& spec = (*specs_)[id.index];
    if (spec.frozen) {
      fail_gradient(spec.name, {"zero::Engine: gradient of ", quote(spec.name),
                                ", which is frozen: do not compute it, or register it without frozen"});
    }
    if (came_short_[id.index]) {
      fail_gradient(spec.name, {"zero::Engine: gradient of ", quote(spec.name),
                                " comes after its bucket was closed, because others needed its place in the ring or a "
                                "unit before it was gathered for backward: hand gradients over in the reverse of the "
                                "registered order, before the next unit is gathered; raise gradient_ring; or register "
                                "as many contributions as a tied parameter has"});
    }
    fail_gradient(
        spec.name,
        {"zero::Engine: gradient of ", quote(spec.name), " arrived ", arrived_[id.index] + 1,
         " times in one micro-batch, but ", counted(static_cast<std::uint64_t>(spec.contributions), "contribution"),
         spec.contributions == 1 ? " is" : " are", " registered: register as many as backward has"});
  }

  void complete(ParameterId id) {
    auto const& extent = layout_->extents()[id.index];
    for (std::uint32_t b = 0; b < extent.bucket_count; ++b) --missing_[extent.first_bucket + b];
  }

  std::vector<ParameterSpec> const* specs_;
  FlatLayout const* layout_;
  FixedArray<int> arrived_;
  FixedArray<bool> came_short_;
  FixedArray<std::size_t> missing_;  // parameters not complete, per trainable bucket
};

}  // namespace zero::detail
