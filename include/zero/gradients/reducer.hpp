// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/arrivals.hpp>
#include <zero/gradients/leases.hpp>
#include <zero/gradients/norm.hpp>
#include <zero/gradients/offloaded_sums.hpp>
#include <zero/gradients/slots.hpp>
#include <zero/layout/segment_table.hpp>
#include <zero/lease.hpp>
#include <zero/memory/element_buffer.hpp>
#include <zero/offload.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/stream_fence.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

struct ReduceSettings {
  Reduce order = Reduce::each_micro_batch;
  int micro_batches = 1;  ///< per step
  int ring = 2;           ///< bucket slots at stages 2 and 3
  MissingGradient missing = MissingGradient::error;
  bool offloaded = false;
  CpuOffload::Config offload{};
};

/// The way of a gradient: arrives in its bucket's slot; when the bucket is complete and those before it are on their
/// way, it is reduced, and its squares are taken while it is fresh. Buckets are reduced in the layout's order on every
/// rank, whatever order their gradients arrive in.
template <class Backend>
class GradientReducer final : public GradientSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  [[gnu::noinline]] GradientReducer(EngineContext<Backend> const& engine, ReduceSettings const& settings,
                                    GradientNorm<Backend>& norm)
      : engine_(engine),
        settings_(settings),
        norm_(norm),
        arrivals_(engine.specs, engine.layout),
        slots_(engine, settings.ring),
        pending_writers_(engine.layout.trainable_buckets()),
        leases_(engine.specs),
        zeroed_(engine.specs.size()),
        copies_(engine.specs.size()) {
    for (std::size_t b = 0; b < pending_writers_.size(); ++b) {
      std::size_t const n = engine.layout.slice_elements(b);
      own_segments_.add(engine.layout.buckets()[b], engine.rank * n, (engine.rank + 1) * n);
    }
    own_segments_.upload(engine);
    allocate_sums();
  }

  // ------------------------------------------------------------------------------------------------- micro-batches

  /// Starts micro-batch \p index of the step.
  void begin(int index) {
    index_ = index;
    leases_.begin_micro_batch();
    next_bucket_ = 0;
    arrivals_.reset();
    for (auto& zeroed : zeroed_) zeroed = false;
    if (last()) norm_.reset(engine_.communication);
  }

  /// Makes sure that every gradient has arrived and every bucket is on its way. \throws GradientError for a missing
  /// one.
  void finish(Stream stream) {
    auto const missing = arrivals_.first_missing();
    if (missing == GradientArrivals::none) return;
    if (settings_.missing == MissingGradient::error) fail_missing(engine_.specs[missing]);
    // In the order of the buckets, so that the ring cannot run over.
    for (auto i = static_cast<std::uint32_t>(engine_.specs.size()); i-- > 0;) {
      if (!arrivals_.is_complete({i})) submit_partial_or_zero({i}, stream);
    }
  }

  /// Forgets an accumulation that will not be finished.
  [[gnu::noinline]] void discard() {
    arrivals_.reset();
    leases_.begin_micro_batch();
    next_bucket_ = pending_writers_.size();
    join(engine_.communication);
    slots_.all_free(engine_.communication);
    cancelled_writers_.reset();
    for (auto& writers : pending_writers_) writers.reset();
  }

  /// \p stream waits until every gradient has been written and every sum is where it belongs.
  void join(Stream stream) {
    cancelled_writers_.make_wait(engine_.backend, stream);
    for (auto const& writers : pending_writers_) writers.make_wait(engine_.backend, stream);
    if (offloaded_) offloaded_->join(stream);
  }

  // ------------------------------------------------------------------------------------------------- leases

  /// Counts micro-batches, discarded ones too: a lease of one is refused in all others.
  [[nodiscard]] std::uint64_t micro_batch_serial() const noexcept { return leases_.micro_batch_serial(); }

  /// Takes a record for the gradients of \p ids, each of which is leased once at a time. \p stream waits for earlier
  /// contributions to them, and until adopted buffers have been copied. \throws LeaseError.
  [[nodiscard]] std::uint32_t lease(std::span<ParameterId const> ids, Stream stream) {
    for (auto id : ids) arrivals_.require_expected(id);
    auto const record = leases_.take(ids);
    for (auto id : ids) {
      auto const& extent = engine_.layout.extents()[id.index];
      if (arrivals_.arrived(id) > 0) {
        pending_writers_[extent.first_bucket].make_wait(engine_.backend, stream);
      } else if (engine_.specs[id.index].gradients) {
        slots_.wait_until_read(extent.block, stream);
      }
    }
    return record;
  }

  GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) override {
    leases_.check(record, id);
    auto const& adopted = engine_.specs[id.index].gradients;
    void* const extent = adopted ? adopted->data : slot_address(id, stream);
    bool const adds = arrivals_.arrived(id) > 0 || zeroed_[id.index];
    if (zeroed && !adds) {
      zeroed_[id.index] = true;
      engine_.backend.zero(extent, bytes_of(id), stream);
    }
    return {extent, engine_.layout.extents()[id.index].count, zeroed || adds};
  }

  void ready(std::uint32_t record, Stream stream) override {
    check_ready(record);
    std::size_t copies = 0;
    for (auto id : leases_.ids(record)) {
      if (!arrivals_.mark_arrived(id)) continue;
      auto const& adopted = engine_.specs[id.index].gradients;
      if (adopted) copies_[copies++] = {slot_address(id, stream), adopted->data, bytes_of(id)};
    }
    if (copies > 0) engine_.backend.copy_many({copies_.begin(), copies}, stream);
    record_writers(leases_.ids(record), stream);
    leases_.end(record);
    reduce_complete_buckets();
  }

  void abandon(std::uint32_t record, Stream stream) noexcept override {
    try {
      cancelled_writers_.record(engine_.backend, stream);
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
    }
    leases_.end(record);
  }

  // ------------------------------------------------------------------------------------------------- sums

  /// The reduced gradients that this rank updates with: of the whole bucket at stage 0, else of its slice; from element
  /// \p offset on. On the device, or in pageable host memory where they are offloaded: neighbours up to where the
  /// device's share ends.
  [[nodiscard, gnu::noinline]] std::byte* sum(std::size_t b, std::size_t offset = 0) const noexcept {
    std::size_t const element = engine_.owned_offset(b) + offset;
    if (!engine_.offload_split.holds(element))
      return offloaded_->host_sums().at(element - engine_.offload_split.elements);
    return sums_at_ + (indexed_whole_ ? in_whole(b) + offset : element) * sum_bytes();
  }
  /// Where the gradients of bucket \p b lie until they are reduced.
  [[nodiscard]] std::byte* slot(std::size_t b) const noexcept { return slots_.bucket(b); }
  /// Parts of parameters in this rank's slice of bucket \p b.
  [[nodiscard]] SegmentView own_segments(std::size_t b) const noexcept { return own_segments_[b]; }

  /// The update has read every sum, as far as the communication stream knows, or has a place of its own for them until
  /// it does: their memory may be written again.
  void release_sums() {
    slots_.all_free(engine_.communication);
    if (offloaded_) offloaded_->begin_next_step();
  }

  /// Takes the squares of all sums again, after one was written by hand.
  [[gnu::noinline]] void retake_norm() {
    norm_.reset(engine_.communication);
    for (std::size_t b = 0; b < pending_writers_.size(); ++b) {
      auto const slot = is_offloaded(b) ? std::optional(stage(b, 0, true)) : std::nullopt;
      norm_.add(own_segments(b), slot ? slot->address() : sum(b, own_offset(b)), engine_.communication);
    }
  }

 private:
  [[nodiscard]] std::size_t sum_bytes() const noexcept { return engine_.policies.bytes(ElementRole::sum); }
  [[nodiscard]] std::size_t bytes_of(ParameterId id) const noexcept {
    return engine_.layout.extents()[id.index].count * engine_.policies.bytes(ElementRole::value);
  }
  [[nodiscard]] bool first() const noexcept { return index_ == 0; }
  [[nodiscard]] bool last() const noexcept { return index_ + 1 == settings_.micro_batches; }
  [[nodiscard]] bool sums_locally() const noexcept {
    return settings_.order == Reduce::once_per_step && settings_.micro_batches > 1;
  }
  // One micro-batch leaves nothing to continue: where types are equally wide the sum takes the gradient's own place.
  [[nodiscard]] bool sums_in_place() const noexcept {
    return settings_.micro_batches == 1 && engine_.policies.bytes(ElementRole::value) == sum_bytes() && slots_.stable();
  }

  [[gnu::noinline]] void allocate_sums() {
    auto const allocate = [&](MemoryPurpose purpose, std::size_t elements) {
      return ElementBuffer<Backend>(engine_, ElementRole::sum, MemoryKind::device, purpose, elements);
    };
    if (sums_locally()) local_sums_ = allocate(MemoryPurpose::local_sums, engine_.layout.trainable());
    if (settings_.offloaded) {
      if (engine_.host_elements() > 0) offloaded_.emplace(engine_, settings_.offload, engine_.host_elements());
      sums_ = allocate(MemoryPurpose::gradient_sums, engine_.offload_split.elements);
      sums_at_ = sums_.at(0);
    } else if (sums_locally() || sums_in_place()) {
      sums_at_ = sums_locally() ? local_sums_.at(0) : slots_.data();
      indexed_whole_ = true;
    } else {
      sums_ = allocate(MemoryPurpose::gradient_sums, engine_.layout.owned());
      sums_at_ = sums_.at(0);
    }
  }

  // All of what this rank owns of it, or where the device's share ends in it the rest.
  [[nodiscard]] bool is_offloaded(std::size_t b) const noexcept {
    return !engine_.offload_split.holds(engine_.owned_offset(b) + engine_.owned_elements(b) - 1);
  }
  // Of what this rank owns of a bucket, where sums lie as gradients do.
  [[nodiscard]] std::size_t in_whole(std::size_t b) const noexcept {
    std::size_t const begin = engine_.layout.buckets()[b].begin;
    return engine_.owns_whole() ? begin : begin + engine_.rank * engine_.layout.slice_elements(b);
  }
  // Of this rank's slice in what `sum` gives.
  [[nodiscard]] std::size_t own_offset(std::size_t b) const noexcept {
    return engine_.owns_whole() ? engine_.rank * engine_.layout.slice_elements(b) : 0;
  }

  [[nodiscard, gnu::noinline]] void* slot_address(ParameterId id, Stream stream) {
    check_available(id);
    auto const& extent = engine_.layout.extents()[id.index];
    return slots_.open(extent.block, extent.begin - engine_.layout.blocks()[extent.block].begin, stream);
  }
  void check_available(ParameterId id) const {
    if (!slots_.available(engine_.layout.extents()[id.index].block, next_bucket_)) throw_ran_ahead(id);
  }
  [[noreturn, gnu::cold, gnu::noinline]] void throw_ran_ahead(ParameterId id) const {
    auto const& name = engine_.specs[id.index].name;
    fail_gradient(name, {"zero::Engine: gradient of ", quote(name),
                         " runs ahead of the registered order by more than the ring of ", slots_.ring(),
                         " buckets: register parameters in forward order, or raise gradient_ring"});
  }

  void submit_partial_or_zero(ParameterId id, Stream stream) {
    auto* const slot = slot_address(id, stream);
    bool const partly = arrivals_.arrived(id) > 0;
    auto const& adopted = engine_.specs[id.index].gradients;
    if (!partly) engine_.backend.zero(slot, bytes_of(id), stream);
    if (partly && adopted) engine_.backend.copy(slot, adopted->data, bytes_of(id), stream);
    arrivals_.mark_complete(id);
    record_writers({&id, 1}, stream);
    reduce_complete_buckets();
  }

  // The producer's stream is noted for every bucket that the gradient is part of: a bucket is reduced only after all.
  void record_writers(std::span<ParameterId const> ids, Stream stream) {
    std::size_t noted = SIZE_MAX;
    for (auto id : ids) {
      auto const& extent = engine_.layout.extents()[id.index];
      for (std::size_t b = extent.first_bucket; b < extent.first_bucket + extent.bucket_count; ++b) {
        if (b != noted) pending_writers_[b].record(engine_.backend, stream);
        noted = b;
      }
    }
  }

  // All is checked before anything is entered. A refusal ends the lease.
  void check_ready(std::uint32_t record) {
    try {
      leases_.check(record);
      for (auto id : leases_.ids(record)) {
        arrivals_.require_expected(id);
        if (engine_.specs[id.index].gradients) check_available(id);
      }
    } catch (Error const&) {
      leases_.end(record);
      throw;
    }
  }
  [[noreturn, gnu::noinline]] static void fail_missing(ParameterSpec const& spec) {
    fail_gradient(spec.name,
                  {"zero::Engine: no gradient of ", quote(spec.name), ", or not all ", spec.contributions,
                   " of them, in this micro-batch: hand over each, freeze the parameter, or set missing_gradient = "
                   "MissingGradient::zero"});
  }

  void reduce_complete_buckets() {
    while (next_bucket_ < pending_writers_.size() && arrivals_.bucket_complete(next_bucket_)) {
      std::size_t const b = next_bucket_++;
      pending_writers_[b].make_wait(engine_.backend, engine_.communication);
      pending_writers_[b].reset();
      if (sums_locally()) {
        reduce_local_sums(b);
      } else {
        reduce(b, ElementRole::value, slots_.bucket(b), first());
      }
      slots_.release(b, engine_.communication);
    }
  }

  void reduce_local_sums(std::size_t b) {
    auto const& bucket = engine_.layout.buckets()[b];
    void* const local = local_sums_.at(bucket.begin);
    engine_.kernels.accumulate(engine_.backend, local, slots_.bucket(b), bucket.elements, first(),
                               engine_.communication);
    if (last()) reduce(b, ElementRole::sum, local, true);
  }

  void reduce(std::size_t b, ElementRole addends, void const* send, bool from_nothing) {
    std::size_t const n = engine_.layout.slice_elements(b);
    std::size_t const own = own_offset(b);
    auto const stream = engine_.communication;
    auto slot = is_offloaded(b) ? std::optional(stage(b, own, !from_nothing)) : std::nullopt;
    std::byte* const all = slot ? slot->address() : sum(b);
    void* const into = all + own * sum_bytes();
    engine_.collectives.reduce_scatter_add(addends, send, into, n, from_nothing, {"gradients", b}, stream);
    count(engine_.traffic.gradients, n);
    if (last()) complete_sum(b, all, into, n);
    if (slot) store(b, std::move(*slot));
  }

  void complete_sum(std::size_t b, void* all, void* own, std::size_t n) {
    norm_.add(own_segments(b), own, engine_.communication);
    if (!engine_.owns_whole()) return;
    engine_.collectives.all_gather(ElementRole::sum, own, all, n, {"gradient sums", b}, engine_.communication);
    count(engine_.traffic.gradient_sums, n);
  }

  void count(std::uint64_t& elements, std::size_t n) noexcept {
    elements += n * (engine_.world() - 1);
    ++engine_.traffic.collectives;
  }

  // Memory for the sum of an offloaded bucket; where \p fetch, with this rank's slice so far from element \p at on.
  [[nodiscard]] SumStagingSlot<Backend> stage(std::size_t b, std::size_t at, bool fetch) {
    std::size_t const begin = engine_.owned_offset(b) + own_offset(b);
    auto const slice = engine_.offload_split.split(begin, engine_.layout.slice_elements(b));
    auto const stream = engine_.communication;
    auto slot = offloaded_->acquire(slice.host_offset, slice.host_elements, at + slice.on_device, fetch, stream);
    if (fetch && slice.on_device > 0) {
      engine_.backend.copy(slot.address() + at * sum_bytes(), sums_.at(begin), slice.on_device * sum_bytes(), stream);
    }
    return slot;
  }
  // Between micro-batches only the own slice goes on; at stage 0 the last one brings the whole bucket.
  void store(std::size_t b, SumStagingSlot<Backend>&& slot) {
    std::size_t const at = last() ? 0 : own_offset(b), begin = engine_.owned_offset(b) + at;
    auto const part =
        engine_.offload_split.split(begin, last() ? engine_.owned_elements(b) : engine_.layout.slice_elements(b));
    auto const stream = engine_.communication;
    if (part.on_device > 0) {
      engine_.backend.copy(sums_.at(begin), slot.address() + at * sum_bytes(), part.on_device * sum_bytes(), stream);
    }
    std::move(slot).store(part.host_offset, part.host_elements, at + part.on_device);
  }

  EngineContext<Backend> const& engine_;
  ReduceSettings settings_;
  GradientNorm<Backend>& norm_;
  GradientArrivals arrivals_;
  GradientSlots<Backend> slots_;
  FixedArray<StreamFence<Backend>> pending_writers_;
  StreamFence<Backend> cancelled_writers_;  // who may still write gradients that nobody will use
  SegmentTable<Backend> own_segments_;
  ElementBuffer<Backend> sums_;
  ElementBuffer<Backend> local_sums_;
  std::optional<OffloadedSums<Backend>> offloaded_;
  std::byte* sums_at_ = nullptr;
  bool indexed_whole_ = false;
  GradientLeases leases_;
  FixedArray<bool> zeroed_;
  FixedArray<CopyRange> copies_;  // room for all of one lease
  std::size_t next_bucket_ = 0;
  int index_ = 0;
};

}  // namespace zero::detail
