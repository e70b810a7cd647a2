// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/reusable_vector.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// Where gradients lie until they are reduced: at stages 0 and 1 in an arena with a stable place for each; at stages 2
/// and 3 in a static ring of bucket slots, the k-th block of the ring in slot k mod R (a CUDA graph bakes addresses
/// in), and in slots of their own for what cannot share it. Elements are of the compute type.
template <class Backend>
class GradientSlots {
 public:
  using Stream = typename Backend::Stream;

  ZERO_OUT_OF_LINE GradientSlots(EngineContext<Backend> const& engine, int ring)
      : engine_(engine), slots_(engine.layout.blocks().size()) {
    enforce(ring >= 1, "zero::Engine: gradient_ring must be at least 1 bucket, e.g. 2");
    if (stable()) {
      for (std::size_t i = 0; i < slots_.size(); ++i) slots_[i].at = engine_.layout.blocks()[i].begin;
      memory_ = allocate(MemoryPurpose::gradients, engine_.layout.trainable());
    } else {
      lay_out_ring(static_cast<std::size_t>(ring));
    }
    free_ = FixedArray<typename Backend::Event>(ring_ + slots_.size());
  }

  /// Whether every gradient has a place of its own for good.
  [[nodiscard]] bool stable() const noexcept { return engine_.stage() < Stage::gradients; }
  [[nodiscard]] std::size_t ring() const noexcept { return ring_; }
  /// Start of the stable arena.
  [[nodiscard]] std::byte* data() const noexcept { return memory_.at(0); }

  /// How many buckets must have been reduced before \p block may be written.
  [[nodiscard]] std::size_t buckets_before(std::uint32_t block) const noexcept {
    auto const& slot = slots_[block];
    return !slot.in_ring || slot.previous == none ? 0 : engine_.layout.blocks()[slot.previous].first_bucket + 1;
  }

  /// The memory of \p block from its element \p offset on.
  [[nodiscard]] std::byte* address(std::uint32_t block, std::size_t offset) const noexcept {
    return (stable() || slots_[block].in_ring ? memory_ : own_).at(slots_[block].at + offset);
  }
  /// \p stream waits until what was written into the memory of \p block has been read.
  void wait_until_read(std::uint32_t block, Stream stream) { engine_.backend.wait(stream, free_[free_index(block)]); }

  /// The memory of bucket \p b.
  [[nodiscard]] std::byte* bucket(std::size_t b) const noexcept {
    auto const& bucket = engine_.layout.buckets()[b];
    return address(bucket.block, bucket.begin - engine_.layout.blocks()[bucket.block].begin);
  }

  /// Bucket \p b has been read, as far as \p stream has come.
  void release(std::size_t b, Stream stream) {
    engine_.backend.record(free_[free_index(engine_.layout.buckets()[b].block)], stream);
  }
  /// Everything has been read, as far as \p stream has come.
  void all_free(Stream stream) {
    for (auto& event : free_) engine_.backend.record(event, stream);
  }

 private:
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Slot {
    std::size_t at = 0;
    bool in_ring = false;
    std::uint32_t position = 0;     // in the ring
    std::uint32_t previous = none;  // the block that used this ring slot before, in the order of reduction
  };

  [[nodiscard]] std::size_t free_index(std::uint32_t block) const noexcept {
    return slots_[block].in_ring ? slots_[block].position : ring_ + block;
  }
  [[nodiscard]] ElementBuffer<Backend> allocate(MemoryPurpose purpose, std::size_t elements) const {
    return {engine_, ElementRole::value, MemoryKind::device, purpose, elements};
  }

  ZERO_OUT_OF_LINE void lay_out_ring(std::size_t ring) {
    std::size_t largest = 0;
    std::size_t own = 0;
    ReusableVector<std::uint32_t> in_ring;
    for (std::uint32_t i = 0; i < slots_.size(); ++i) {
      auto const& block = engine_.layout.blocks()[i];
      if (block.slot == GradientSlot::ring) {
        in_ring.push_back(i);
        largest = (std::max)(largest, block.elements);
      } else if (block.slot == GradientSlot::own) {
        slots_[i].at = own;
        own += block.elements;
      }
    }
    ring_ = (std::min)(ring, in_ring.size());
    for (std::size_t k = 0; k < in_ring.size(); ++k) {
      auto const position = static_cast<std::uint32_t>(k % ring_);
      slots_[in_ring[k]] = {position * largest, true, position, k < ring_ ? none : in_ring[k - ring_]};
    }
    memory_ = allocate(MemoryPurpose::gradients, ring_ * largest);
    own_ = allocate(MemoryPurpose::gradient_slots, own);
  }

  EngineContext<Backend> const& engine_;
  FixedArray<Slot> slots_;
  std::size_t ring_ = 0;
  ElementBuffer<Backend> memory_;
  ElementBuffer<Backend> own_;
  FixedArray<typename Backend::Event> free_;
};

}  // namespace zero::detail
