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

/// Counts the gradients of one micro-batch, and says which buckets are complete.
class GradientArrivals {
 public:
  /// \p specs and \p layout must outlive this.
  GradientArrivals(std::vector<ParameterSpec> const& specs, FlatLayout const& layout)
      : specs_(&specs), layout_(&layout), arrived_(specs.size()), missing_(layout.trainable_buckets()) {
    reset();
  }

  /// Forgets what has arrived.
  void reset() {
    for (auto& arrived : arrived_) arrived = 0;
    for (std::size_t b = 0; b < missing_.size(); ++b) missing_[b] = layout_->buckets()[b].segments.size();
  }

  /// \throws GradientError where one more gradient of \p id in this micro-batch is one too many.
  void require_expected(ParameterId id) const {
    auto const& spec = (*specs_)[id.index];
    if (spec.frozen || arrived_[id.index] >= spec.contributions) throw_unexpected(id);
  }

  /// Enters one gradient of \p id. Returns whether it was the last of this micro-batch.
  bool mark_arrived(ParameterId id) {
    require_expected(id);
    if (++arrived_[id.index] < (*specs_)[id.index].contributions) return false;
    complete(id);
    return true;
  }

  /// Takes what has arrived of \p id for all of it, which may be nothing.
  void mark_complete(ParameterId id) {
    if (arrived_[id.index] == (*specs_)[id.index].contributions) return;
    arrived_[id.index] = (*specs_)[id.index].contributions;
    complete(id);
  }

  [[nodiscard]] bool is_complete(ParameterId id) const noexcept {
    auto const& spec = (*specs_)[id.index];
    return spec.frozen || arrived_[id.index] == spec.contributions;
  }
  /// Gradients of \p id so far in this micro-batch.
  [[nodiscard]] int arrived(ParameterId id) const noexcept { return arrived_[id.index]; }
  [[nodiscard]] bool bucket_complete(std::size_t bucket) const noexcept { return missing_[bucket] == 0; }

  /// The first trainable parameter whose gradients are not all there; `none` if there is none.
  static constexpr std::uint32_t none = UINT32_MAX;
  [[nodiscard]] std::uint32_t first_missing() const noexcept {
    for (std::size_t i = 0; i < arrived_.size(); ++i) {
      if (!is_complete({static_cast<std::uint32_t>(i)})) return static_cast<std::uint32_t>(i);
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
    fail_gradient(spec.name, {"zero::Engine: gradient of ", quote(spec.name), " arrived ", arrived_[id.index] + 1,
                              " times in one micro-batch, but ", spec.contributions,
                              " contributions are registered: register as many as backward has"});
  }

  void complete(ParameterId id) {
    auto const& extent = layout_->extents()[id.index];
    for (std::uint32_t b = 0; b < extent.bucket_count; ++b) --missing_[extent.first_bucket + b];
  }

  std::vector<ParameterSpec> const* specs_;
  FlatLayout const* layout_;
  FixedArray<int> arrived_;
  FixedArray<std::size_t> missing_;  // parameters not complete, per trainable bucket
};

}  // namespace zero::detail
