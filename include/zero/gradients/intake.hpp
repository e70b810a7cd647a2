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
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace zero::detail {

/// What may help where the gradient of \p early comes before that of \p late, of a later unit, which uses \p early,
/// too: backward hands over the gradient of that use first. For messages.
[[nodiscard]] ZERO_OUT_OF_LINE inline std::string cure_of_tied(ParameterSpec const& early, ParameterSpec const& late) {
  if (early.unit >= late.unit || early.contributions > 1) return {};
  return concat({"register ", quote(early.name), " once, with contributions = 2 where it is used twice, "});
}

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
        held_(engine.specs.size()),
        copies_(engine.specs.size()) {}

  // ------------------------------------------------------------------------------------------------- micro-batches

  /// Starts a micro-batch: nothing has arrived, and leases of the one before are refused. Where this rank does not
  /// contribute, nothing is missing, and nothing that is handed over is used.
  void begin(bool contributes) {
    contributes_ = contributes;
    leases_.begin_micro_batch();
    next_bucket_ = 0;
    arrivals_.reset();
    lost_ = {};
    for (auto& held : held_) held = {};
  }

  /// Counts micro-batches, discarded ones too: a lease of one is refused in all others.
  [[nodiscard]] std::uint64_t micro_batch_serial() const noexcept { return leases_.micro_batch_serial(); }

  /// Copies what has arrived of adopted gradients of which contributions are missing, on \p stream, so that their
  /// buckets can be closed. The caller may write those buffers again on \p stream.
  void copy_partial(Stream stream) {
    for (std::uint32_t i = 0; i < engine_.specs.size(); ++i) {
      ParameterId const id{i};
      auto const& adopted = engine_.specs[i].gradients;
      if (!adopted || arrivals_.is_complete(id) || arrivals_.arrived(id) == 0) continue;
      auto const& extent = engine_.layout.extents()[i];
      pending_writers_[extent.first_bucket].make_wait(engine_.backend, stream);
      slots_.wait_until_read(extent.block, stream);
      (engine_.backend.copy)(address_of(id), adopted->data, bytes_of(id), stream);
      record_writers({&id, 1}, stream);
    }
  }

  /// Ends a micro-batch all of whose buckets were taken out: its leases are refused from now on. \throws GradientError
  /// where its sums cannot be used: for a gradient that was lost, or that is missing, where the settings make that an
  /// error.
  void end() {
    require_none_lost();
    for (std::uint32_t i = 0; i < engine_.specs.size(); ++i) {
      ParameterId const id{i};
      if (arrivals_.came_short(id) && leases_.is_held(id) && is_written(id)) throw_not_ready(engine_.specs[i]);
    }
    if (auto const missing = arrivals_.first_missing(); missing != GradientArrivals::none && needs_all()) {
      throw_missing({missing});
    }
    leases_.begin_micro_batch();
    cancelled_writers_.reset();  // each of their buckets was taken out after them
  }

  /// Forgets a micro-batch that will not be finished, and refuses its leases; no bucket is complete until the next one
  /// begins. \p stream, the one that buckets are read on, waits for all writers.
  ZERO_OUT_OF_LINE void discard(Stream stream) {
    arrivals_.reset();
    leases_.begin_micro_batch();
    next_bucket_ = pending_writers_.size();
    lost_ = {};
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
  /// contributions to them, for leases that were abandoned, and until memory that does not move has been read.
  /// \throws GradientError, LeaseError. Nothing is held after an error.
  [[nodiscard]] std::uint32_t lease(std::span<ParameterId const> ids, Stream stream) {
    require_none_lost();
    for (auto id : ids) {
      if (arrivals_.came_short(id)) lose(id, Loss::late);
      arrivals_.require_expected(id);
    }
    auto claim = leases_.take(ids);
    cancelled_writers_.make_wait(engine_.backend, stream);
    auto waited_for = GradientArrivals::none;
    for (auto id : ids) {
      held_[id.index] = {};  // what a lease that was abandoned has written does not count
      auto const& extent = engine_.layout.extents()[id.index];
      if (arrivals_.arrived(id) > 0) {
        pending_writers_[extent.first_bucket].make_wait(engine_.backend, stream);
      } else if ((slots_.stable() || engine_.specs[id.index].gradients) && extent.block != waited_for) {
        slots_.wait_until_read(extent.block, stream);
        waited_for = extent.block;
      }
    }
    return std::move(claim).hand_out();
  }

  /// How many buckets must have been taken out before the lease of \p record may write the gradient of \p id.
  /// \throws LeaseError for a gradient that the lease does not hold.
  [[nodiscard]] std::size_t buckets_before(std::uint32_t record, ParameterId id) const {
    leases_.check_lease(record, id);
    return engine_.specs[id.index].gradients ? 0 : slots_.buckets_before(engine_.layout.extents()[id.index].block);
  }
  /// The gradients of the lease of \p record.
  [[nodiscard]] std::span<ParameterId const> leased(std::uint32_t record) const {
    leases_.check_lease(record);
    return leases_.ids(record);
  }
  /// How many buckets must have been taken out before the gradient of \p id may be entered: an adopted one is copied.
  [[nodiscard]] std::size_t buckets_before_copy(ParameterId id) const noexcept {
    return engine_.specs[id.index].gradients ? slots_.buckets_before(engine_.layout.extents()[id.index].block) : 0;
  }

  /// Where the lease of \p record writes the gradient of \p id; with \p zeroed it is to be added to, and is zeroed on
  /// \p stream where nothing has been written. Borrowed until the lease ends. The gradient counts as written. The
  /// buckets before it have been taken out. \throws LeaseError for a gradient that the lease does not hold.
  [[nodiscard]] GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) {
    leases_.check_lease(record, id);
    auto const& adopted = engine_.specs[id.index].gradients;
    auto const& extent = engine_.layout.extents()[id.index];
    if (!adopted && !slots_.stable()) slots_.wait_until_read(extent.block, stream);
    void* const address = adopted ? adopted->data : address_of(id);
    auto& held = held_[id.index];
    held.written = true;
    bool const adds = arrivals_.arrived(id) > 0 || held.zeroed;
    if (zeroed && !adds) {
      engine_.backend.zero(address, bytes_of(id), stream);
      held.zeroed = true;
    }
    return {address, extent.count, zeroed || adds};
  }

  /// Notes that the lease of \p record writes the gradient of \p id at an address that the caller has kept. \throws
  /// LeaseError for a gradient that the lease does not hold, and where addresses do not last.
  void mark_written(std::uint32_t record, ParameterId id) {
    leases_.check_lease(record, id);
    auto& written = held_[id.index].written;
    if (!written && !slots_.stable() && !engine_.specs[id.index].gradients) throw_no_lasting_address(id);
    written = true;
  }

  /// Enters the gradients of a lease that were written, as far as they have been put on \p stream, copies adopted
  /// ones, and ends the lease. The buckets before them have been taken out. \throws LeaseError, GradientError. After
  /// any error the lease is abandoned: nothing has arrived.
  void accept(std::uint32_t record, Stream stream) {
    try {
      enter(record, stream);
    } catch (...) {
      abandon(record, stream);
      throw;
    }
  }

  /// Ends a lease whose gradients count for nothing. \p stream may still write them. A gradient that others have been
  /// added to before is lost, and the micro-batch with it: nobody can take a part of a sum back.
  void abandon(std::uint32_t record, Stream stream) noexcept {
    try {
      cancelled_writers_.record(engine_.backend, stream);
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
    }
    for (auto id : leases_.ids(record)) {
      if (leases_.holds(record, id) && is_written(id) && arrivals_.arrived(id) > 0) lose(id, Loss::added_to);
    }
    leases_.end(record);
  }

  // ------------------------------------------------------------------------------------------------- buckets

  /// The first bucket that has not been taken out.
  [[nodiscard]] std::size_t next_bucket() const noexcept { return next_bucket_; }
  /// Whether the next bucket in the layout's order has all of its gradients.
  [[nodiscard]] bool next_is_complete() const noexcept {
    return next_bucket_ < pending_writers_.size() && arrivals_.bucket_complete(next_bucket_);
  }
  /// Completes the next bucket with zeros for what has not arrived. A gradient of it that a lease has written, and that
  /// is not ready, is lost.
  void close_next() {
    for (auto const& segment : engine_.layout.buckets()[next_bucket_].segments) {
      ParameterId const id{segment.parameter};
      if (!arrivals_.is_complete(id) && leases_.is_held(id) && is_written(id)) lose(id, Loss::closed);
    }
    arrivals_.close(next_bucket_);
  }
  /// \throws GradientError where one of the buckets before \p end cannot be closed to make room for \p id: a lease
  /// holds a gradient of it, or one has not arrived and the settings make that an error. Nothing has changed then.
  void require_closable(std::size_t end, ParameterId id) const {
    for (std::size_t b = next_bucket_; b < end; ++b) {
      if (auto const other = find_not_closable(b)) throw_no_room(id, *other);
    }
  }
  /// The parameter for which bucket \p b cannot be closed to make room; none where it can.
  [[nodiscard]] std::optional<ParameterId> find_not_closable(std::size_t b) const {
    for (auto const& segment : engine_.layout.buckets()[b].segments) {
      ParameterId const other{segment.parameter};
      if (!arrivals_.is_complete(other) && (leases_.is_held(other) || needs_all())) return other;
    }
    return std::nullopt;
  }
  /// Whether a lease holds the gradient of \p id.
  [[nodiscard]] bool is_held(ParameterId id) const noexcept { return leases_.is_held(id); }
  /// Takes out the next bucket, which must be complete. \p stream waits for those who wrote it, and zeroes what came
  /// short, where this rank contributes.
  [[nodiscard]] std::size_t take_next(Stream stream) {
    std::size_t const b = next_bucket_++;
    pending_writers_[b].make_wait(engine_.backend, stream);
    pending_writers_[b].reset();
    for (auto const& segment : engine_.layout.buckets()[b].segments) {
      ParameterId const id{segment.parameter};
      if (!arrivals_.came_short(id) || arrivals_.arrived(id) > 0) continue;
      std::size_t const bytes = engine_.policies.bytes(ElementRole::value);
      cancelled_writers_.make_wait(engine_.backend, stream);
      if (!contributes_) continue;
      engine_.backend.zero(slots_.bucket(b) + segment.offset * bytes, segment.count * bytes, stream);
    }
    return b;
  }
  /// A bucket that was taken out has been read, as far as \p stream has come: its memory may be written again.
  void release(std::size_t b, Stream stream) { slots_.release(b, stream); }
  /// The same of all buckets.
  void release_all(Stream stream) { slots_.all_free(stream); }

  /// Where gradients lie until their bucket is released.
  [[nodiscard]] GradientSlots<Backend> const& gradient_slots() const noexcept { return slots_; }

 private:
  // What the lease that holds a gradient has done with it.
  struct Held {
    bool written = false;
    bool zeroed = false;
  };
  enum class Loss : std::uint8_t { none, added_to, closed, late };
  struct Lost {
    ParameterId id{};
    Loss why = Loss::none;
  };

  [[nodiscard]] std::size_t bytes_of(ParameterId id) const noexcept {
    return engine_.layout.extents()[id.index].count * engine_.policies.bytes(ElementRole::value);
  }
  [[nodiscard]] std::byte* address_of(ParameterId id) const noexcept {
    auto const& extent = engine_.layout.extents()[id.index];
    return slots_.address(extent.block, extent.begin - engine_.layout.blocks()[extent.block].begin);
  }
  // Who owns an adopted buffer need not ask for its address.
  [[nodiscard]] bool is_written(ParameterId id) const noexcept {
    return held_[id.index].written || engine_.specs[id.index].gradients;
  }
  [[nodiscard]] bool needs_all() const noexcept { return contributes_ && missing_ == MissingGradient::error; }
  void lose(ParameterId id, Loss why) noexcept {
    if (lost_.why == Loss::none) lost_ = {id, why};
  }
  void require_none_lost() const {
    if (lost_.why != Loss::none) throw_lost();
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
    leases_.check_lease(record);
    require_none_lost();
    auto const ids = leases_.ids(record);
    std::size_t copies = 0;
    for (auto id : ids) {
      arrivals_.require_expected(id);
      auto const& spec = engine_.specs[id.index];
      if (!spec.gradients || arrivals_.arrived(id) + 1 != spec.contributions) continue;
      slots_.wait_until_read(engine_.layout.extents()[id.index].block, stream);
      copies_[copies++] = {address_of(id), spec.gradients->data, bytes_of(id)};
    }
    if (copies > 0) engine_.backend.copy_many({copies_.begin(), copies}, stream);
    record_writers(ids, stream);
    for (auto id : ids) {
      if (is_written(id)) (void)arrivals_.mark_arrived(id);
    }
    leases_.end(record);
  }

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_no_room(ParameterId id, ParameterId other) const {
    auto const &spec = engine_.specs[id.index], &late = engine_.specs[other.index];
    bool const is_held = leases_.is_held(other);
    fail_gradient(
        spec.name,
        {"zero::Engine: gradient of ", quote(spec.name), " needs the place of the gradient of ", quote(late.name),
         " in the ring of ", counted(slots_.ring(), "bucket"), ", ",
         is_held ? "which a lease still holds: call ready() on that lease first, lease less at once, "
                 : "which has not arrived: hand gradients over by ready(), in the reverse of the registered order, ",
         is_held ? std::string() : cure_of_tied(spec, late),
         is_held ? "" : "set missing_gradient = MissingGradient::zero where some never come, ",
         "or raise gradient_ring"});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_no_lasting_address(ParameterId id) const {
    fail<LeaseError>({"zero::GradientLease: the gradient of ", quote(engine_.specs[id.index].name),
                      " has no lasting address at stages 2 and 3: ask this lease for it, or adopt a buffer"});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_lost() const {
    auto const& name = engine_.specs[lost_.id.index].name;
    auto const tail = ": call discard_gradients() on every rank, and repeat the micro-batches of this step";
    if (lost_.why == Loss::added_to) {
      fail_gradient(name, {"zero::Engine: a lease was abandoned that had added to the gradient of ", quote(name),
                           " after another contribution, which cannot be undone", tail});
    }
    if (lost_.why == Loss::late) {
      fail_gradient(name, {"zero::Engine: the gradient of ", quote(name), " came after its bucket was closed", tail});
    }
    fail_gradient(name,
                  {"zero::Engine: the bucket of the gradient of ", quote(name),
                   " was closed while a lease held it, whose ready() is missing, or comes after finish() or after "
                   "the gather of the unit before",
                   tail});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE static void throw_not_ready(ParameterSpec const& spec) {
    fail_gradient(spec.name, {"zero::MicroBatch: finish() while a lease holds the gradient of ", quote(spec.name),
                              ": call ready() on the lease first"});
  }
  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_missing(ParameterId id) const {
    auto const& spec = engine_.specs[id.index];
    fail_gradient(spec.name,
                  {"zero::Engine: no gradient of ", quote(spec.name),
                   spec.contributions == 1 ? std::string() : concat({", or not all ", spec.contributions, " of them,"}),
                   " in this micro-batch. A gradient is handed over by ready(), where the lease was asked for "
                   "its address, or was told written() of an address that was kept. Hand over each, freeze the "
                   "parameter, or set missing_gradient = MissingGradient::zero"});
  }

  EngineContext<Backend> const& engine_;
  MissingGradient missing_;
  bool contributes_ = true;  // in this micro-batch
  GradientArrivals arrivals_;
  GradientSlots<Backend> slots_;
  FixedArray<StreamFence<Backend>> pending_writers_;  // by bucket
  StreamFence<Backend> cancelled_writers_;            // who may still write gradients that nobody will use
  GradientLeases leases_;
  FixedArray<Held> held_;         // by parameter
  FixedArray<CopyRange> copies_;  // room for all of one lease
  Lost lost_;                     // the first gradient of the micro-batch that cannot be had any more
  std::size_t next_bucket_ = 0;   // the first that has not been taken out
};

}  // namespace zero::detail
