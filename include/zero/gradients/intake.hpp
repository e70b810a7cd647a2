// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/lease_interfaces.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/arrivals.hpp>
#include <zero/gradients/leases.hpp>
#include <zero/gradients/reduce_settings.hpp>
#include <zero/gradients/slots.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/stream_fence.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>

namespace zero::detail {

/// Collects the gradients of one micro-batch: they come in any order, from any stream, and leave as complete buckets in
/// the layout's order. Owns the memory that they are written to, the records of leases, and the fences of the streams
/// that write. No function blocks the host or synchronizes a stream; errors of the backend pass through.
template <class Backend>
class GradientIntake {
 public:
  using Stream = typename Backend::Stream;

  ZERO_OUT_OF_LINE GradientIntake(EngineContext<Backend> const& engine, ReduceSettings const& settings)
      : engine_(engine),
        missing_(settings.missing),
        arrivals_(engine.specs, engine.layout),
        slots_(engine, settings.ring),
        pending_writers_(engine.layout.trainable_buckets()),
        leases_(engine.specs),
        zeroed_(engine.specs.size()),
        copies_(engine.specs.size()) {}

  // ------------------------------------------------------------------------------------------------- micro-batches

  /// Starts a micro-batch: nothing has arrived, and leases of the one before are refused.
  void begin() {
    leases_.begin_micro_batch();
    next_bucket_ = 0;
    arrivals_.reset();
  }

  /// Counts micro-batches, discarded ones too: a lease of one is refused in all others.
  [[nodiscard]] std::uint64_t micro_batch_serial() const noexcept { return leases_.micro_batch_serial(); }

  /// Completes every gradient that has not arrived, on \p stream, as the settings say, and calls `reduce()` after each.
  /// In the order of the buckets, so that the ring cannot run over. \throws GradientError for the first missing one,
  /// where the settings make it an error.
  template <class F>
  void complete_missing(Stream stream, F&& reduce) {
    auto const missing = arrivals_.first_missing();
    if (missing == GradientArrivals::none) return;
    if (missing_ == MissingGradient::error) throw_missing(engine_.specs[missing]);
    for (auto i = static_cast<std::uint32_t>(engine_.specs.size()); i-- > 0;) {
      if (arrivals_.is_complete({i})) continue;
      submit_partial_or_zero({i}, stream);
      reduce();
    }
  }

  /// Forgets a micro-batch that will not be finished, and refuses its leases; no bucket is complete until the next one
  /// begins. \p stream, the one that buckets are read on, waits for all writers.
  ZERO_OUT_OF_LINE void discard(Stream stream) {
    arrivals_.reset();
    leases_.begin_micro_batch();
    next_bucket_ = pending_writers_.size();
    join(stream);
    slots_.all_free(stream);
    cancelled_writers_.reset();
    for (auto& writers : pending_writers_) writers.reset();
  }

  /// \p stream waits until every gradient has been written that is not in a bucket taken out before.
  void join(Stream stream) {
    cancelled_writers_.make_wait(engine_.backend, stream);
    for (auto const& writers : pending_writers_) writers.make_wait(engine_.backend, stream);
  }

  // ------------------------------------------------------------------------------------------------- leases

  /// Takes a record for the gradients of \p ids, each of which is leased once at a time. \p stream waits for earlier
  /// contributions to them, and until adopted buffers have been copied. \throws GradientError, LeaseError. Nothing is
  /// held after an error.
  [[nodiscard]] std::uint32_t lease(std::span<ParameterId const> ids, Stream stream) {
    for (auto id : ids) arrivals_.require_expected(id);
    auto claim = leases_.take(ids);
    for (auto id : ids) {
      zeroed_[id.index] = false;  // what a lease that was abandoned has written does not count
      auto const& extent = engine_.layout.extents()[id.index];
      if (arrivals_.arrived(id) > 0) {
        pending_writers_[extent.first_bucket].make_wait(engine_.backend, stream);
      } else if (engine_.specs[id.index].gradients) {
        slots_.wait_until_read(extent.block, stream);
      }
    }
    return std::move(claim).hand_out();
  }

  /// Where the lease of \p record writes the gradient of \p id; with \p zeroed it is to be added to, and is zeroed on
  /// \p stream where nothing has been written. Borrowed until the lease ends. \throws LeaseError for a gradient that
  /// the lease does not hold, GradientError beyond the ring.
  [[nodiscard]] GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) {
    leases_.check(record, id);
    auto const& adopted = engine_.specs[id.index].gradients;
    void* const extent = adopted ? adopted->data : slot_address(id, stream);
    bool const adds = arrivals_.arrived(id) > 0 || zeroed_[id.index];
    if (zeroed && !adds) {
      engine_.backend.zero(extent, bytes_of(id), stream);
      zeroed_[id.index] = true;
    }
    return {extent, engine_.layout.extents()[id.index].count, zeroed || adds};
  }

  /// Enters the gradients of a lease, as far as they have been put on \p stream, copies adopted ones, and ends the
  /// lease. \throws LeaseError, GradientError. After any error the lease is abandoned: nothing has arrived.
  void accept(std::uint32_t record, Stream stream) {
    try {
      enter(record, stream);
    } catch (...) {
      abandon(record, stream);
      throw;
    }
  }

  /// Ends a lease whose gradients count for nothing. \p stream may still write them.
  void abandon(std::uint32_t record, Stream stream) noexcept {
    try {
      cancelled_writers_.record(engine_.backend, stream);
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
    }
    leases_.end(record);
  }

  // ------------------------------------------------------------------------------------------------- buckets

  /// Whether the next bucket in the layout's order has all of its gradients.
  [[nodiscard]] bool next_is_complete() const noexcept {
    return next_bucket_ < pending_writers_.size() && arrivals_.bucket_complete(next_bucket_);
  }
  /// Takes out the next bucket, which must be complete. \p stream waits for those who wrote it.
  [[nodiscard]] std::size_t take_next(Stream stream) {
    std::size_t const b = next_bucket_++;
    pending_writers_[b].make_wait(engine_.backend, stream);
    pending_writers_[b].reset();
    return b;
  }
  /// A bucket that was taken out has been read, as far as \p stream has come: its memory may be written again.
  void release(std::size_t b, Stream stream) { slots_.release(b, stream); }
  /// The same of all buckets.
  void release_all(Stream stream) { slots_.all_free(stream); }

  /// Where gradients lie until their bucket is released.
  [[nodiscard]] GradientSlots<Backend> const& slots() const noexcept { return slots_; }

 private:
  [[nodiscard]] std::size_t bytes_of(ParameterId id) const noexcept {
    return engine_.layout.extents()[id.index].count * engine_.policies.bytes(ElementRole::value);
  }

  [[nodiscard]] ZERO_OUT_OF_LINE void* slot_address(ParameterId id, Stream stream) {
    check_available(id);
    auto const& extent = engine_.layout.extents()[id.index];
    return slots_.open(extent.block, extent.begin - engine_.layout.blocks()[extent.block].begin, stream);
  }
  void check_available(ParameterId id) const {
    if (!slots_.available(engine_.layout.extents()[id.index].block, next_bucket_)) throw_ran_ahead(id);
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_ran_ahead(ParameterId id) const {
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

  // Everything that may throw comes before the first gradient arrives.
  void enter(std::uint32_t record, Stream stream) {
    leases_.check(record);
    auto const ids = leases_.ids(record);
    for (auto id : ids) {
      arrivals_.require_expected(id);
      if (engine_.specs[id.index].gradients) check_available(id);
    }
    std::size_t copies = 0;
    for (auto id : ids) {
      auto const& spec = engine_.specs[id.index];
      bool const is_last = arrivals_.arrived(id) + 1 == spec.contributions;
      if (is_last && spec.gradients) copies_[copies++] = {slot_address(id, stream), spec.gradients->data, bytes_of(id)};
    }
    if (copies > 0) engine_.backend.copy_many({copies_.begin(), copies}, stream);
    record_writers(ids, stream);
    for (auto id : ids) (void)arrivals_.mark_arrived(id);
    leases_.end(record);
  }
  [[noreturn]] ZERO_OUT_OF_LINE static void throw_missing(ParameterSpec const& spec) {
    fail_gradient(spec.name,
                  {"zero::Engine: no gradient of ", quote(spec.name), ", or not all ", spec.contributions,
                   " of them, in this micro-batch: hand over each, freeze the parameter, or set missing_gradient = "
                   "MissingGradient::zero"});
  }

  EngineContext<Backend> const& engine_;
  MissingGradient missing_;
  GradientArrivals arrivals_;
  GradientSlots<Backend> slots_;
  FixedArray<StreamFence<Backend>> pending_writers_;  // by bucket
  StreamFence<Backend> cancelled_writers_;            // who may still write gradients that nobody will use
  GradientLeases leases_;
  FixedArray<bool> zeroed_;       // by the lease that holds the gradient
  FixedArray<CopyRange> copies_;  // room for all of one lease
  std::size_t next_bucket_ = 0;   // the first that has not been taken out
};

}  // namespace zero::detail
