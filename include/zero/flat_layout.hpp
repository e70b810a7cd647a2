// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/bucket.hpp>
#include <zero/error.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace zero {

/// What decides a layout, besides the parameters.
struct LayoutSettings {
  Stage stage = Stage::none;              ///< what is sharded
  std::size_t world = 1;                  ///< ranks
  std::size_t alignment_elements = 128;   ///< elements; a multiple of 128; every parameter starts on one
  std::size_t bucket_elements = 1 << 22;  ///< capacity of a bucket
  std::size_t persistence_threshold = 0;  ///< stage 3: parameters with fewer elements are kept whole on every rank
  bool units_together = false;  ///< stage 2: a unit that fits into a bucket lies in one, another begins one; at stage 3
                                ///< no bucket crosses a unit anyway
};

/// Where a parameter lies in the flat space.
struct ParameterExtent {
  std::size_t begin = 0;           ///< contiguous from here, in the flat space
  std::size_t count = 0;           ///< elements, without padding
  std::uint32_t block = 0;         ///< index of its block
  std::uint32_t first_bucket = 0;  ///< index of its first bucket
  std::uint32_t bucket_count = 0;  ///< number of its buckets; 1 unless it is larger than a bucket
};

/// The flat space: every parameter's place, and the buckets over it. A pure function of the registered parameters and
/// the settings, so that every rank computes the same one.
///
/// Trainable parameters come first, in reverse order of registration, because backward produces their gradients in that
/// order; then those whose gradients are complete only at the end of backward whatever their place (several
/// contributions; at stage 3, small parameters that share buckets over all units); then the frozen ones. Buckets are
/// reduced in this order. A parameter starts on a multiple of the alignment and shares a bucket with its neighbours if
/// it fits, so that no slot of the gradient ring ever holds half a parameter; one that is larger than a bucket has
/// buckets of its own.
class FlatLayout {
 public:
  /// Lays \p specs out. \throws ConfigurationError for settings that cannot work.
  ZERO_OUT_OF_LINE FlatLayout(std::vector<ParameterSpec> const& specs, LayoutSettings const& settings)
      : settings_(settings), extents_(specs.size()) {
    validate(specs);
    for (auto section : {Section::ring, Section::several, Section::whole, Section::frozen, Section::frozen_whole}) {
      for (std::size_t i = specs.size(); i-- > 0;) {
        if (section_of(specs[i], settings_) == section) append(specs, i, section);
      }
      close_bucket();
      if (section == Section::whole) {
        trainable_ = total_;
        trainable_buckets_ = buckets_.size();
      }
    }
    measure_units(specs);
  }

  /// What decided this layout.
  [[nodiscard]] LayoutSettings const& settings() const noexcept { return settings_; }
  /// Of each parameter, by registration.
  [[nodiscard]] std::vector<ParameterExtent> const& extents() const noexcept { return extents_; }
  /// In the order in which they are reduced.
  [[nodiscard]] std::vector<Bucket> const& buckets() const noexcept { return buckets_; }
  /// In the same order.
  [[nodiscard]] std::vector<Block> const& blocks() const noexcept { return blocks_; }

  /// Elements of the flat space, with padding; a multiple of world.
  [[nodiscard]] std::size_t total() const noexcept { return total_; }
  /// Elements of the trainable part, which comes first.
  [[nodiscard]] std::size_t trainable() const noexcept { return trainable_; }
  /// Trainable elements that one rank updates: all of them at stage 0, else its slices.
  [[nodiscard]] std::size_t owned() const noexcept {
    return trainable_ / (settings_.stage == Stage::none ? 1 : settings_.world);
  }
  /// Buckets of the trainable part: those that are reduced.
  [[nodiscard]] std::size_t trainable_buckets() const noexcept { return trainable_buckets_; }
  /// The most buckets of the gradient ring that the gradients of one unit lie in.
  [[nodiscard]] std::size_t ring_buckets_of_largest_unit() const noexcept { return ring_buckets_of_largest_unit_; }
  /// Slots of the gradient ring where nobody asks for a number: one bucket more than a unit's gradients lie in, so that
  /// the last of one unit is reduced while the next one is filled.
  [[nodiscard]] std::size_t default_gradient_ring() const noexcept { return ring_buckets_of_largest_unit_ + 1; }
  /// Elements of all parameters, without padding.
  [[nodiscard]] std::size_t parameter_elements() const noexcept { return parameter_elements_; }
  /// Elements that are no parameter's.
  [[nodiscard]] std::size_t padding_elements() const noexcept { return total_ - parameter_elements_; }

  /// Elements of bucket \p b that one rank owns.
  [[nodiscard]] std::size_t slice_elements(std::size_t b) const noexcept {
    return buckets_[b].elements / settings_.world;
  }

  /// The parts of parameters inside rank \p rank's slice of bucket \p b; offsets count from the slice's start.
  [[nodiscard]] std::vector<Segment> slice_segments(std::size_t b, std::size_t rank) const {
    std::size_t const slice = slice_elements(b);
    std::vector<Segment> segments;
    clip_segments(segments, buckets_[b].segments, rank * slice, (rank + 1) * slice);
    return segments;
  }

  /// Appends the parts of \p segments within [begin, end) to \p clipped; their offsets count from \p begin.
  static void clip_segments(std::vector<Segment>& clipped, std::span<Segment const> segments, std::size_t begin,
                            std::size_t end) {
    for (auto const& segment : segments) {
      std::size_t const from = (std::max)(segment.offset, begin);
      std::size_t const to = (std::min)(segment.offset + segment.count, end);
      if (from >= to) continue;
      clipped.push_back(
          {segment.parameter, segment.group, from - begin, segment.in_parameter + (from - segment.offset), to - from});
    }
  }

 private:
  enum class Section : std::uint8_t { ring, several, whole, frozen, frozen_whole };

  static constexpr std::size_t largest_model = std::size_t{1} << 50;  // elements

  [[nodiscard]] static bool is_persistent(ParameterSpec const& spec, LayoutSettings const& settings) {
    return settings.stage == Stage::parameters &&
           (spec.persistent || ParameterList::element_count(spec.shape) < settings.persistence_threshold);
  }

  [[nodiscard]] static Section section_of(ParameterSpec const& spec, LayoutSettings const& settings) {
    if (spec.frozen) return is_persistent(spec, settings) ? Section::frozen_whole : Section::frozen;
    if (is_persistent(spec, settings)) return Section::whole;
    return spec.contributions > 1 ? Section::several : Section::ring;
  }

  [[nodiscard]] std::size_t unit_of_collectives() const { return settings_.world * settings_.alignment_elements; }
  [[nodiscard]] static std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

  ZERO_OUT_OF_LINE void validate(std::vector<ParameterSpec> const& specs) const {
    detail::enforce(!specs.empty(), "zero::Engine: no parameters are registered: add them to the ParameterList first");
    detail::enforce(settings_.bucket_elements > 0, "zero::Engine: bucket_elements must be at least 1, e.g. 1 << 22");
    detail::enforce(settings_.alignment_elements > 0 && settings_.alignment_elements % 128 == 0 &&
                        settings_.alignment_elements <= (1U << 24),
                    "zero::Engine: alignment_elements must be a multiple of 128 elements, up to 2^24");
    std::size_t elements = 0;
    for (auto const& spec : specs) {
      elements += round_up(ParameterList::element_count(spec.shape), settings_.alignment_elements);
      detail::enforce(elements <= largest_model,
                      "zero::Engine: the parameters have more than 2^50 elements: register less");
    }
  }

  // A bucket holds what was asked for, rounded up to what can be split evenly.
  [[nodiscard]] std::size_t capacity() const {
    return round_up((std::min)(settings_.bucket_elements, largest_model), unit_of_collectives());
  }

  ZERO_OUT_OF_LINE void append(std::vector<ParameterSpec> const& specs, std::size_t i, Section section) {
    auto const& spec = specs[i];
    std::size_t const count = ParameterList::element_count(spec.shape);
    parameter_elements_ += count;
    // Units bound what stage 3 gathers; what is kept whole is never gathered.
    bool const whole = settings_.stage != Stage::parameters || is_persistent(spec, settings_);
    int const unit = whole ? 0 : spec.unit;
    GradientSlot const slot = spec.frozen                ? GradientSlot::none
                              : section == Section::ring ? GradientSlot::ring
                                                         : GradientSlot::own;
    if (count > capacity()) {
      close_bucket();
      append_large(spec, i, count, {.unit = unit, .whole = whole, .slot = spec.frozen ? slot : GradientSlot::own});
      return;
    }
    std::size_t const start = round_up(open_elements_, settings_.alignment_elements);
    if (open_segments_.empty() || open_.unit != unit || start + belongs_together(specs, i, section) > capacity()) {
      close_bucket();
      open_ = Block{.begin = total_, .unit = unit, .whole = whole, .slot = slot};
    }
    add_to_open(spec, i, count);
  }

  // Elements that share a bucket from parameter `i` on, if they fit: where units are kept together those of a unit,
  // whose gradients are asked for in one call. A unit then lies in as few slots of the gradient ring as it can.
  [[nodiscard]] std::size_t belongs_together(std::vector<ParameterSpec> const& specs, std::size_t i,
                                             Section section) const {
    std::size_t const count = ParameterList::element_count(specs[i].shape);
    bool const starts_unit = !open_segments_.empty() && specs[open_segments_.back().parameter].unit != specs[i].unit;
    bool const together = settings_.units_together && settings_.stage == Stage::gradients && section == Section::ring;
    if (!together || !starts_unit) return count;
    std::size_t elements = 0;
    for (std::size_t next = i + 1; next-- > 0 && specs[next].unit == specs[i].unit;) {
      if (section_of(specs[next], settings_) != section) continue;
      elements = round_up(elements, settings_.alignment_elements) + ParameterList::element_count(specs[next].shape);
    }
    return elements;
  }

  void add_to_open(ParameterSpec const& spec, std::size_t i, std::size_t count) {
    std::size_t const start = round_up(open_elements_, settings_.alignment_elements);
    auto const block = static_cast<std::uint32_t>(blocks_.size());
    extents_[i] = {total_ + start, count, block, static_cast<std::uint32_t>(buckets_.size()), 1};
    open_segments_.push_back({static_cast<std::uint32_t>(i), spec.group.index, start, 0, count});
    open_elements_ = start + count;
  }

  ZERO_OUT_OF_LINE void close_bucket() {
    if (open_segments_.empty()) return;
    std::size_t const elements = round_up(open_elements_, unit_of_collectives());
    append_block(open_, elements, 1);
    append_bucket(elements).segments.swap(open_segments_);
    open_elements_ = 0;
  }

  ZERO_OUT_OF_LINE void append_large(ParameterSpec const& spec, std::size_t i, std::size_t count, Block block) {
    std::size_t const buckets =
        (count + capacity() - 1) / capacity();  // NOLINT(clang-analyzer-core.DivideZero): validated
    extents_[i] = {total_, count, static_cast<std::uint32_t>(blocks_.size()),
                   static_cast<std::uint32_t>(buckets_.size()), static_cast<std::uint32_t>(buckets)};
    block.begin = total_;
    append_block(block, round_up(count, unit_of_collectives()), static_cast<std::uint32_t>(buckets));
    for (std::size_t done = 0; done < count; done += capacity()) {
      std::size_t const part = (std::min)(capacity(), count - done);
      auto& bucket = append_bucket(round_up(part, unit_of_collectives()));
      bucket.segments.push_back({static_cast<std::uint32_t>(i), spec.group.index, 0, done, part});
    }
  }

  void append_block(Block block, std::size_t elements, std::uint32_t buckets) {
    block.elements = elements;
    block.first_bucket = static_cast<std::uint32_t>(buckets_.size());
    block.bucket_count = buckets;
    blocks_.push_back(block);
  }

  Bucket& append_bucket(std::size_t elements) {
    auto& bucket = buckets_.emplace_back();
    bucket.begin = total_;
    bucket.elements = elements;
    bucket.block = static_cast<std::uint32_t>(blocks_.size() - 1);
    total_ += elements;
    return bucket;
  }

  // A model whose parameters are all of one unit says nothing about how backward hands gradients over: one at a time.
  ZERO_OUT_OF_LINE void measure_units(std::vector<ParameterSpec> const& specs) {
    ring_buckets_of_largest_unit_ = 1;
    bool one_unit = true;
    for (auto const& spec : specs) one_unit = one_unit && spec.unit == specs.front().unit;
    if (one_unit) return;
    std::optional<std::size_t> newest;
    std::size_t oldest_bucket = 0;
    for (std::size_t i = specs.size(); i-- > 0;) {
      if (blocks_[extents_[i].block].slot != GradientSlot::ring) continue;
      if (!newest || specs[*newest].unit != specs[i].unit) oldest_bucket = extents_[i].first_bucket;
      newest = i;
      ring_buckets_of_largest_unit_ =
          (std::max)(ring_buckets_of_largest_unit_, extents_[i].first_bucket - oldest_bucket + 1);
    }
  }

  LayoutSettings settings_;
  std::vector<ParameterExtent> extents_;
  std::vector<Bucket> buckets_;
  std::vector<Block> blocks_;
  std::size_t total_ = 0;
  std::size_t trainable_ = 0;
  std::size_t trainable_buckets_ = 0;
  std::size_t parameter_elements_ = 0;
  std::size_t ring_buckets_of_largest_unit_ = 1;
  Block open_;  // the bucket that is being filled, while it has segments
  std::size_t open_elements_ = 0;
  std::vector<Segment> open_segments_;
};

}  // namespace zero
