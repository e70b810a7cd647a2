// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/communicator.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/joint_link.hpp>
#include <zero/engine/lease_interfaces.hpp>
#include <zero/engine/micro_batch_sequence.hpp>
#include <zero/engine/policies.hpp>
#include <zero/engine_config.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradients/closing_schedule.hpp>
#include <zero/gradients/intake.hpp>
#include <zero/gradients/norm.hpp>
#include <zero/gradients/offloaded_sums.hpp>
#include <zero/gradients/reduce_settings.hpp>
#include <zero/gradients/sum_storage.hpp>
#include <zero/layout/segment_table.hpp>
#include <zero/memory_report.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/segment.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <utility>

namespace zero::detail {

/// The schedule of gradient reduction: which bucket is reduced when, and with what. Buckets are reduced in the layout's
/// order on every rank, whatever order gradients arrive in and whatever is missing. Below stage 3 a bucket is reduced
/// once it and all buckets before it are complete; at stage 3, where all-gathers come in between, at points that the
/// gather calls fix (see ClosingSchedule), which may close it before everything has arrived on this rank. A lease that
/// needs the place of an open bucket closes it, and the end of the micro-batch closes the rest. Squares are taken while
/// the sum is fresh. Owns the intake, where leases put gradients, and the storage of
/// the sums. All work on buckets goes to the communication stream; nothing blocks the host or synchronizes a stream.
/// Errors of the backend and the communicator pass through. One that interrupts a reduction loses its bucket: until the
/// gradients are discarded, leases, their ends and the end of the micro-batch throw it again. In a joint step it starts
/// no reduction by itself: JointLink says when.
template <class Backend>
class GradientReducer final : public GradientSink<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  /// \p engine and \p norm are borrowed and must outlive this.
  ZERO_OUT_OF_LINE GradientReducer(EngineContext<Backend> const& engine, ReduceSettings const& settings,
                                   GradientNorm<Backend>& norm)
      : engine_(engine),
        micro_batches_(settings.micro_batches),
        sum_order_(settings.sum_order),
        missing_(settings.missing),
        norm_(norm),
        intake_(engine, settings),
        closing_(engine.specs, engine.layout),
        sums_(engine, settings, intake_.gradient_slots()) {
    ring_ = static_cast<std::size_t>(settings.ring);
    require_one_order();
    for (std::size_t b = 0; b < bucket_count(); ++b) {
      std::size_t const n = engine.layout.slice_elements(b);
      own_segments_.add(engine.layout.buckets()[b], engine.rank * n, (engine.rank + 1) * n);
    }
    own_segments_.upload(engine.backend, engine.memory_report, engine.communication);
  }

  // ------------------------------------------------------------------------------------------------- micro-batches

  /// Starts the micro-batch of \p round of the step.
  void begin(int round) {
    round_ = round;
    intake_.begin(micro_batches_.contributes(round));
    closing_.begin();
    if (last()) norm_.reset(engine_.communication);
  }

  /// Puts every bucket on its way, with zeros for what is missing, and then judges what is. Adopted gradients of which
  /// contributions are missing are copied on \p stream. \throws GradientError, as GradientIntake::end.
  void finish(Stream stream) {
    require_sums();
    intake_.copy_partial(stream);
    close_until(bucket_count());
    intake_.end();
  }

  /// Notes that \p ids are about to be gathered in this micro-batch, and first closes what that call says. \p held says
  /// of a block whether a lease holds it now. Without effect below stage 3. \throws GradientError where a lease has
  /// closed more, which a rank that lacks its gradient would do after this gather.
  template <class Held>
  void before_gather(std::span<ParameterId const> ids, Held const& held) {
    if (!closes_at_gathers()) return;
    auto const needed = [this](std::uint32_t block) { return intake_.gradient_slots().buckets_before(block); };
    auto const closed = closing_.gather(ids, needed, held);
    close_until(closed);
    if (!may_lack(round_) || intake_.next_bucket() <= closed) return;
    if (auto const id = find_not_held(ids, held)) throw_not_held(*id);
  }

  /// Forgets an accumulation that will not be finished.
  ZERO_OUT_OF_LINE void discard() {
    sums_.join(engine_.communication);
    intake_.discard(engine_.communication);
    failure_ = nullptr;
  }

  /// \p stream waits until every gradient has been written and every sum is where it belongs.
  void join(Stream stream) {
    intake_.join(stream);
    sums_.join(stream);
  }

  // ------------------------------------------------------------------------------------------------- leases

  /// See GradientIntake.
  [[nodiscard]] std::uint64_t micro_batch_serial() const noexcept { return intake_.micro_batch_serial(); }
  /// See GradientIntake. \throws GradientError, LeaseError.
  [[nodiscard]] std::uint32_t lease(std::span<ParameterId const> ids, Stream stream) {
    require_sums();
    return intake_.lease(ids, stream);
  }
  /// See GradientIntake; makes room first. \throws LeaseError, GradientError.
  GradientAddress target(std::uint32_t record, ParameterId id, Stream stream, bool zeroed) override {
    engine_.require_own_streams("a lease of gradients", stream);
    make_room(intake_.buckets_before(record, id), id);
    return intake_.target(record, id, stream, zeroed);
  }
  /// See GradientIntake. \throws LeaseError.
  void mark_written(std::uint32_t record, ParameterId id) override { intake_.mark_written(record, id); }
  /// Ends a lease, and reduces what its gradients complete. \throws LeaseError and GradientError, as GradientIntake.
  void ready(std::uint32_t record, Stream stream) override {
    engine_.require_own_streams("ready", stream);
    try {
      for (auto id : intake_.leased(record)) make_room(intake_.buckets_before_copy(id), id);
    } catch (...) {
      intake_.abandon(record, stream);
      throw;
    }
    intake_.accept(record, stream);
    if (joint_ != nullptr) return joint_->reduce_complete();
    if (!closes_at_gathers()) reduce_complete_buckets();
  }
  /// See GradientIntake.
  void abandon(std::uint32_t record, Stream stream) noexcept override { intake_.abandon(record, stream); }

  // ------------------------------------------------------------------------------------------------- sums

  /// See SumStorage::address.
  [[nodiscard]] std::byte* sum(std::size_t b, std::size_t offset = 0) const noexcept {
    return sums_.address(b, offset);
  }
  /// Where the gradients of bucket \p b lie until they are reduced.
  [[nodiscard]] std::byte* slot(std::size_t b) const noexcept { return intake_.gradient_slots().bucket(b); }
  /// Parts of parameters in this rank's slice of bucket \p b.
  [[nodiscard]] SegmentView own_segments(std::size_t b) const noexcept { return own_segments_[b]; }

  /// The update has read every sum, as far as the communication stream knows, or has a place of its own for them until
  /// it does: their memory may be written again.
  void release_sums() {
    intake_.release_all(engine_.communication);
    sums_.begin_next_step();
  }

  /// Takes the squares of all sums again, after one was written by hand.
  void retake_norm() {
    if (joint_ != nullptr) return joint_->retake_norm();
    norm_.reset(engine_.communication);
    add_squares();
  }

  // ------------------------------------------------------------------------------------------------- in a joint step

  /// From the next micro-batch on \p joint, which is borrowed until `leave_joint`, starts the reductions of this
  /// engine, its \p member, whose rounds are those of \p micro_batches. \throws ConfigurationError where that cannot
  /// be; nothing has changed then.
  void enter_joint(JointLink<Backend>& joint, std::size_t member, MicroBatchSequence const& micro_batches) {
    auto const own = std::exchange(micro_batches_, micro_batches);
    try {
      require_one_order();
    } catch (...) {
      micro_batches_ = own;
      throw;
    }
    joint_ = &joint;
    member_ = member;
  }
  /// It starts them by itself again.
  void leave_joint(MicroBatchSequence const& micro_batches) noexcept {
    micro_batches_ = micro_batches;
    joint_ = nullptr;
  }
  /// Where gradients are collected.
  [[nodiscard]] GradientIntake<Backend>& intake() noexcept { return intake_; }
  /// Reduces the next bucket, with zeros for what is missing. \throws CommunicationError.
  void close_and_reduce_next() {
    require_sums();
    intake_.close_next();
    reduce_complete_buckets(intake_.next_bucket() + 1);
  }
  /// Adds the squares of all sums to the norm.
  ZERO_OUT_OF_LINE void add_squares() {
    for (std::size_t b = 0; b < bucket_count(); ++b) {
      auto const slot = staged(b, 0, true);
      norm_.add(own_segments(b), slot ? slot->address() : sum(b, sums_.slice_offset(b)), engine_.communication);
    }
  }
  /// The first of \p ids whose gather calls a collective; none where they are whole or held.
  template <class Held>
  [[nodiscard]] std::optional<ParameterId> find_not_held(std::span<ParameterId const> ids, Held const& held) const {
    for (auto id : ids) {
      auto const block = engine_.layout.extents()[id.index].block;
      if (engine_.world() > 1 && !engine_.layout.blocks()[block].whole && !held(block)) return id;
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] std::size_t bucket_count() const noexcept { return engine_.layout.trainable_buckets(); }
  [[nodiscard]] bool first() const noexcept { return round_ == 0; }
  [[nodiscard]] bool last() const noexcept { return micro_batches_.is_last(round_); }
  // Whether a rank may lack gradients that others have.
  [[nodiscard]] bool may_lack(int round) const noexcept {
    return missing_ == MissingGradient::zero || micro_batches_.is_ragged(round);
  }

  // A lease within a unit that needs the place of a bucket of the same unit closes that on its own rank. The next
  // gather does the same on all others, unless it is of tied parameters, which say nothing of where backward is.
  void require_one_order() const {
    std::size_t const needed = engine_.layout.ring_buckets_of_largest_unit();
    bool const is_sure = !closes_at_gathers() || !may_lack(micro_batches_.rounds() - 1) || ring_ >= needed;
    for (std::size_t i = 0; i < engine_.specs.size() && !is_sure; ++i) {
      auto const& spec = engine_.specs[i];
      if (spec.contributions == 1 || engine_.layout.blocks()[engine_.layout.extents()[i].block].whole) continue;
      fail<ConfigurationError>(
          {"zero::Engine: gradient_ring is ", ring_, ", but the gradients of one unit take ", needed, " buckets: with ",
           missing_ == MissingGradient::zero ? "MissingGradient::zero" : "ranks without a micro-batch",
           " and tied parameters such as ", quote(spec.name),
           ", ranks need room for a whole unit at stage 3: set gradient_ring to ", needed,
           " or more, or leave it out"});
    }
  }

  [[noreturn, gnu::cold]] ZERO_OUT_OF_LINE void throw_not_held(ParameterId id) const {
    auto const& name = engine_.specs[id.index].name;
    fail_gradient(name, {"zero::Engine: ", quote(name), " is gathered after a lease has closed bucket ",
                         intake_.next_bucket() - 1,
                         " to make room. A rank that lacks that lease's gradient, as MissingGradient::zero allows "
                         "and as ranks without a micro-batch do, would call these collectives in the other order: end "
                         "leases on parameters before the next unit is gathered, or raise gradient_ring"});
  }

  [[nodiscard]] bool closes_at_gathers() const noexcept { return engine_.stage() == Stage::parameters; }

  void require_sums() const {
    if (failure_) std::rethrow_exception(failure_);
  }

  void make_room(std::size_t end, ParameterId id) {
    if (end <= intake_.next_bucket()) return;
    if (joint_ != nullptr) return joint_->make_room(member_, end, id);
    intake_.require_closable(end, id);
    close_until(end);
  }
  // Closes and reduces all buckets before `end`.
  void close_until(std::size_t end) {
    require_sums();
    while (intake_.next_bucket() < end) {
      intake_.close_next();
      reduce_complete_buckets(end);
    }
  }

  void reduce_complete_buckets() { reduce_complete_buckets(bucket_count()); }
  void reduce_complete_buckets(std::size_t end) {
    require_sums();
    try {
      while (intake_.next_bucket() < end && intake_.next_is_complete()) reduce_next();
    } catch (...) {
      failure_ = std::current_exception();
      throw;
    }
  }
  void reduce_next() {
    std::size_t const b = intake_.take_next(engine_.communication);
    if (auto* const local = sums_.local_sum(b)) {
      reduce_local_sum(b, local);
    } else {
      reduce(b, ElementRole::value, slot(b), {first(), micro_batches_.addends(round_), sum_order_});
    }
    intake_.release(b, engine_.communication);
  }

  void reduce_local_sum(std::size_t b, std::byte* local) {
    if (micro_batches_.contributes(round_)) {
      engine_.kernels.accumulate(engine_.backend, local, slot(b), engine_.layout.buckets()[b].elements, first(),
                                 engine_.communication);
    }
    // Several rounds: every rank has had a micro-batch.
    if (last()) reduce(b, ElementRole::sum, local, {.order = sum_order_});
  }

  // Adds the slices of all ranks that have them to this rank's sum of bucket `b`, or starts that sum.
  void reduce(std::size_t b, ElementRole addends, void* send, SumRange range) {
    std::size_t const n = engine_.layout.slice_elements(b);
    std::size_t const own = sums_.slice_offset(b);
    auto const stream = engine_.communication;
    auto slot = staged(b, own, !range.first);
    std::byte* const all = slot ? slot->address() : sum(b);
    void* const into = all + own * engine_.policies.bytes(ElementRole::sum);
    engine_.collectives.reduce_scatter_add(addends, send, into, n, range, {"gradients", b}, stream);
    count(engine_.traffic.gradients, range.has(static_cast<int>(engine_.rank)) ? n : 0);
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

  // Memory for the sum of a bucket that is not on the device; see SumStorage::stage.
  [[nodiscard]] std::optional<SumStagingSlot<Backend>> staged(std::size_t b, std::size_t at, bool fetch) {
    if (sums_.kind(b) == MemoryKind::device) return std::nullopt;
    return sums_.stage(b, at, fetch, engine_.communication);
  }
  // This rank's slice between micro-batches; at stage 0, after the last one, the whole bucket.
  void store(std::size_t b, SumStagingSlot<Backend>&& slot) {
    std::size_t const at = last() ? 0 : sums_.slice_offset(b);
    std::size_t const count = last() ? engine_.owned_elements(b) : engine_.layout.slice_elements(b);
    sums_.store(std::move(slot), b, at, count, engine_.communication);
  }

  EngineContext<Backend> const& engine_;
  MicroBatchSequence micro_batches_;
  SumOrder sum_order_;
  MissingGradient missing_;
  std::size_t ring_ = 0;                 // bucket slots that were asked for
  JointLink<Backend>* joint_ = nullptr;  // who starts reductions, in a joint step
  std::size_t member_ = 0;               // of it
  GradientNorm<Backend>& norm_;
  GradientIntake<Backend> intake_;
  ClosingSchedule closing_;
  SumStorage<Backend> sums_;
  SegmentTable<Backend> own_segments_;
  int round_ = 0;               // of the micro-batch
  std::exception_ptr failure_;  // of a reduction whose gradients have not been discarded
};

}  // namespace zero::detail
