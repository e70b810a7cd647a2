// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/engine/policies.hpp>
#include <zero/engine_config.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/offloaded_sums.hpp>
#include <zero/gradients/reduce_settings.hpp>
#include <zero/gradients/slots.hpp>
#include <zero/memory_report.hpp>
#include <zero/offload.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace zero::detail {

/// Where the reduced gradients of every bucket lie that this rank owns: the whole bucket at stage 0, else its slice.
/// They have device memory of their own, or take the place of what they are reduced from, or are offloaded to pageable
/// host memory, the first ones up to the device's share excepted. Owns that memory, and that of local sums.
template <class Backend>
class SumStorage {
 public:
  using Stream = typename Backend::Stream;

  /// Sums may take the place of the gradients in \p slots, whose memory is borrowed then.
  ZERO_OUT_OF_LINE SumStorage(EngineContext<Backend> const& engine, ReduceSettings const& settings,
                              GradientSlots<Backend> const& gradient_slots)
      : engine_(engine), first_(engine.layout.trainable_buckets()) {
    bool const accumulates = settings.order == Reduce::once_per_step && settings.micro_batches.rounds() > 1;
    if (accumulates) local_ = allocate(MemoryPurpose::local_sums, engine.layout.trainable());
    if (settings.offloaded) {
      if (engine.host_elements() > 0) offloaded_.emplace(engine, settings.offload, engine.host_elements());
      place_apart(engine.offload_split.elements);
    } else if (accumulates) {
      place_in(local_.at(0));
    } else if (fit_gradients(settings, gradient_slots)) {
      place_in(gradient_slots.data());
    } else {
      place_apart(engine.layout.owned());
    }
  }

  // ------------------------------------------------------------------------------------------------- addresses

  /// Element \p offset of what this rank owns of bucket \p b: in device memory, or in pageable host memory where it is
  /// offloaded. Neighbours lie side by side up to where the device's share ends. Borrowed; with a delayed update, until
  /// the next step begins.
  [[nodiscard]] ZERO_OUT_OF_LINE std::byte* address(std::size_t b, std::size_t offset) const noexcept {
    std::size_t const element = engine_.owned_offset(b) + offset;
    auto const& on_device = engine_.offload_split;
    if (!on_device.holds(element)) return offloaded_->host_sums().at(element - on_device.elements);
    return device_ + (first_[b] + offset) * engine_.policies.bytes(ElementRole::sum);
  }
  /// Where all of bucket \p b can be reduced into: device memory, or pageable memory, even in part, which takes
  /// `stage`.
  [[nodiscard]] MemoryKind kind(std::size_t b) const noexcept {
    bool const on_device = engine_.offload_split.holds(engine_.owned_offset(b) + engine_.owned_elements(b) - 1);
    return on_device ? MemoryKind::device : MemoryKind::pageable;
  }
  /// Where the slice of bucket \p b that this rank reduces begins in what it owns of it.
  [[nodiscard]] std::size_t slice_offset(std::size_t b) const noexcept {
    return engine_.owns_whole() ? engine_.rank * engine_.layout.slice_elements(b) : 0;
  }
  /// Where this rank adds up its own gradients of all of bucket \p b over the micro-batches of a step, to reduce them
  /// once; null where every micro-batch is reduced.
  [[nodiscard]] std::byte* local_sum(std::size_t b) const noexcept {
    return local_.at(engine_.layout.buckets()[b].begin);  // null in a buffer without memory
  }

  // ------------------------------------------------------------------------------------------------- offload

  /// Device memory to reduce bucket \p b in, which is in pageable memory. Where \p fetch, this rank's slice so far lies
  /// from element \p at on in it, once \p stream goes on. Does not block the host.
  [[nodiscard]] SumStagingSlot<Backend> stage(std::size_t b, std::size_t at, bool fetch, Stream stream) {
    std::size_t const begin = engine_.owned_offset(b) + slice_offset(b);
    auto const slice = engine_.offload_split.split(begin, engine_.layout.slice_elements(b));
    auto slot = offloaded_->take_slot(slice.host_offset, slice.host_elements, at + slice.on_device, fetch, stream);
    if (fetch && slice.on_device > 0) {
      std::size_t const bytes = engine_.policies.bytes(ElementRole::sum);
      (engine_.backend.copy)(slot.address() + at * bytes, own_.at(begin), slice.on_device * bytes, stream);
    }
    return slot;
  }
  /// Copies \p count elements of what this rank owns of bucket \p b, from \p at on, from \p slot to where they belong,
  /// and ends the slot. Ordered after the work on \p stream; does not block the host.
  void store(SumStagingSlot<Backend>&& slot, std::size_t b, std::size_t at, std::size_t count, Stream stream) {
    std::size_t const begin = engine_.owned_offset(b) + at;
    auto const part = engine_.offload_split.split(begin, count);
    if (part.on_device > 0) {
      std::size_t const bytes = engine_.policies.bytes(ElementRole::sum);
      (engine_.backend.copy)(own_.at(begin), slot.address() + at * bytes, part.on_device * bytes, stream);
    }
    std::move(slot).store(part.host_offset, part.host_elements, at + part.on_device);
  }
  /// \p stream waits until every sum is where `address` says.
  void join(Stream stream) {
    if (offloaded_) offloaded_->join(stream);
  }
  /// The sums of another step follow. Those of this one stay where they are as long as a delayed update reads them.
  void begin_next_step() noexcept {
    if (offloaded_) offloaded_->begin_next_step();
  }

 private:
  [[nodiscard]] ElementBuffer<Backend> allocate(MemoryPurpose purpose, std::size_t elements) const {
    return {engine_, ElementRole::sum, MemoryKind::device, purpose, elements};
  }
  // One micro-batch leaves nothing to continue: where types are equally wide the sum takes the gradient's own place.
  [[nodiscard]] bool fit_gradients(ReduceSettings const& settings,
                                   GradientSlots<Backend> const& gradient_slots) const noexcept {
    return settings.micro_batches.rounds() == 1 && gradient_slots.stable() &&
           engine_.policies.bytes(ElementRole::value) == engine_.policies.bytes(ElementRole::sum);
  }
  // What this rank owns of one bucket after another.
  void place_apart(std::size_t elements) {
    own_ = allocate(MemoryPurpose::gradient_sums, elements);
    device_ = own_.at(0);
    for (std::size_t b = 0; b < first_.size(); ++b) first_[b] = engine_.owned_offset(b);
  }
  // In memory that all of every bucket lies in, as in the layout.
  void place_in(std::byte* buckets) {
    device_ = buckets;
    for (std::size_t b = 0; b < first_.size(); ++b) {
      std::size_t const slice = engine_.rank * engine_.layout.slice_elements(b);
      first_[b] = engine_.layout.buckets()[b].begin + (engine_.owns_whole() ? 0 : slice);
    }
  }

  EngineContext<Backend> const& engine_;
  ElementBuffer<Backend> own_;
  ElementBuffer<Backend> local_;
  std::optional<OffloadedSums<Backend>> offloaded_;
  std::byte* device_ = nullptr;    // what `first_` counts from
  FixedArray<std::size_t> first_;  // by bucket: the first element that this rank owns
};

}  // namespace zero::detail
