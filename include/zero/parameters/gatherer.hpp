// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/lease_records.hpp>
#include <zero/error.hpp>
#include <zero/layout/gather_places.hpp>
#include <zero/layout/unit_table.hpp>
#include <zero/lease.hpp>
#include <zero/parameter.hpp>
#include <zero/parameters/gather_arena.hpp>
#include <zero/parameters/storage.hpp>
#include <zero/parameters/unit_prefetcher.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/support/reusable_vector.hpp>
#include <zero/support/stream_fence.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>

namespace zero::detail {

/// What one gatherer may keep gathered, and how far it looks ahead.
struct GatherSettings {
  std::size_t max_live_elements = 0;  ///< stage 3: bound on gathered elements, with padding; 0: what prefetching needs
  int prefetch_units = 1;             ///< stage 3: units gathered ahead, in the direction that gathers have taken
};

/// Leases parameters to the trainer, whole, and makes updated ones known to all ranks. Knows who reads them. Where they
/// lie is the business of ParameterStorage and, where they are sharded, of GatherArena.
template <class Backend>
class ParameterGatherer final : public ParameterSource<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  /// \p engine is borrowed. \throws ConfigurationError for negative prefetching.
  ZERO_OUT_OF_LINE ParameterGatherer(EngineContext<Backend> const& engine, GatherSettings const& settings)
      : engine_(engine),
        prefetcher_(UnitTable::of_sharded(engine.layout, engine.specs), settings.prefetch_units),
        storage_(engine),
        arena_(engine, storage_, places(settings.max_live_elements)),
        published_(engine.layout.buckets().size()) {}

  // ------------------------------------------------------------------------------------------------- addresses

  /// This rank's slice of bucket \p b, in the compute type.
  [[nodiscard]] std::byte* slice(std::size_t b) const noexcept { return storage_.slice(b); }
  /// All of bucket \p b, which is kept whole.
  [[nodiscard]] std::byte* whole_bucket(std::size_t b) const noexcept { return storage_.whole_bucket(b); }
  [[nodiscard]] bool is_whole(std::size_t b) const noexcept { return storage_.is_whole(b); }
  /// Whether a lease holds a parameter of \p block.
  [[nodiscard]] bool is_held(std::uint32_t block) const noexcept {
    return engine_.layout.blocks()[block].whole ? is_leased(block) : arena_.is_pinned(block);
  }

  // ------------------------------------------------------------------------------------------------- leases

  /// Makes \p ids whole for \p stream and keeps them so until the record is released. \p training tells gathers of the
  /// step from those of an evaluation in the traffic. Does not synchronize \p stream.
  /// \throws LeaseError beyond the live bound, CommunicationError; nothing is held then.
  [[nodiscard]] std::uint32_t gather(std::span<ParameterId const> ids, Stream stream, bool training) {
    auto& traffic = training ? engine_.traffic.gathered : engine_.traffic.evaluation;
    PendingRecord pending(*this);
    auto& record = records_[pending.number()];
    for (auto id : ids) {
      record.ids.push_back(id);
      auto const& extent = engine_.layout.extents()[id.index];
      if (!engine_.layout.blocks()[extent.block].whole) {
        pin_once(record.blocks, extent.block);
        continue;
      }
      for (std::uint32_t b = 0; b < extent.bucket_count; ++b) {
        engine_.backend.wait(stream, published_[extent.first_bucket + b]);
      }
    }
    storage_.wait_for_adopted(stream);
    std::span<std::uint32_t const> const blocks(record.blocks.begin(), record.blocks.end());
    if (auto const refused = arena_.gather(blocks, traffic)) fail_no_room(*refused);
    for (auto block : record.blocks) arena_.wait_until_gathered(block, stream);
    for (auto block : record.blocks) {
      prefetcher_.use(engine_.layout.blocks()[block].unit,
                      [this, &traffic](std::uint32_t next) { return arena_.gather_ahead(next, traffic); });
    }
    return pending.commit();
  }

  void* parameter(std::uint32_t record, ParameterId id) override {
    if (!holds(record, id)) fail_not_held(id);
    auto const& extent = engine_.layout.extents()[id.index];
    auto const& block = engine_.layout.blocks()[extent.block];
    return block.whole ? storage_.whole_parameter(id) : arena_.at(extent.block, extent.begin - block.begin);
  }

  [[nodiscard]] std::size_t element_count(ParameterId id) const override {
    return engine_.layout.extents()[id.index].count;
  }

  void release(std::uint32_t record, Stream stream) noexcept override {
    auto const& blocks = records_[record].blocks;
    try {
      readers_.record(engine_.backend, stream);
      for (auto block : blocks) arena_.record_reader(block, stream);
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
    }
    for (auto block : blocks) {
      arena_.unpin(block);
      arena_.evict_unpinned(block);
    }
    records_.release(record);
  }

  // ------------------------------------------------------------------------------------------------- publishing

  /// \p stream waits until nobody reads parameters that the update is going to change.
  void join_readers(Stream stream) {
    readers_.make_wait(engine_.backend, stream);
    readers_.reset();
  }

  /// \throws SequenceError while a lease is held, before the parameters change.
  ZERO_OUT_OF_LINE void require_no_leases() const {
    for (auto const& record : records_.all()) {
      if (record.ids.empty()) continue;
      fail<SequenceError>({"zero::Engine: a lease on ", quote(engine_.specs[record.ids[0].index].name),
                           " is still held: end every lease before the parameters change"});
    }
  }
  /// Forgets what has been gathered, and in which direction: the parameters are about to change, and the next step's
  /// gathers are to take the places of the last one's. No lease is held.
  void forget_gathered() noexcept {
    arena_.evict_all();
    prefetcher_.forget_direction();
  }

  /// Makes the updated slices of bucket \p b known to all ranks. Stage 3 does so at the next gather.
  void all_gather_updated(std::size_t b, bool all_gather) {
    if (!is_whole(b)) return;
    if (all_gather) storage_.all_gather(b, whole_bucket(b), "parameters", engine_.traffic.parameters);
    engine_.backend.record(published_[b], engine_.communication);
  }

  /// Copies all adopted parameters back to the caller's buffers, as one operation after every `all_gather_updated`.
  void copy_to_adopted() { storage_.copy_to_adopted(); }

 private:
  /// Owns a record, and the pins of its blocks, until `commit`: a gather that throws gives both back.
  class PendingRecord {
   public:
    explicit PendingRecord(ParameterGatherer& gatherer) : gatherer_(gatherer), number_(gatherer.records_.take()) {}
    PendingRecord(PendingRecord const&) = delete;
    PendingRecord& operator=(PendingRecord const&) = delete;
    ~PendingRecord() {
      if (!committed_) gatherer_.cancel(number_);
    }
    [[nodiscard]] std::uint32_t number() const noexcept { return number_; }
    std::uint32_t commit() noexcept {
      committed_ = true;
      return number_;
    }

   private:
    ParameterGatherer& gatherer_;
    std::uint32_t number_;
    bool committed_ = false;
  };

  // What has been gathered goes: it may lie where the next gather's place is, and would be pinned there.
  ZERO_OUT_OF_LINE void cancel(std::uint32_t number) noexcept {
    for (auto block : records_[number].blocks) {
      arena_.unpin(block);
      arena_.evict_unpinned(block);
    }
    records_.release(number);
  }

  // Who asks for a bound may hold whatever fits into it; without one there is a place for each unit.
  [[nodiscard]] GatherPlaces places(std::size_t asked) const {
    if (asked == 0) return prefetcher_.working_set();
    return GatherPlaces(asked < prefetcher_.elements() ? asked : prefetcher_.elements());
  }

  [[nodiscard]] bool is_leased(std::uint32_t block) const noexcept {
    for (auto const& record : records_.all()) {
      for (auto id : record.ids) {
        if (engine_.layout.extents()[id.index].block == block) return true;
      }
    }
    return false;
  }
  // Every block of a record is pinned once.
  void pin_once(ReusableVector<std::uint32_t>& pinned, std::uint32_t block) {
    for (auto other : pinned) {
      if (other == block) return;
    }
    pinned.push_back(block);
    arena_.pin(block);
  }

  [[nodiscard]] bool holds(std::uint32_t record, ParameterId id) const noexcept {
    for (auto held : records_[record].ids) {
      if (held == id) return true;
    }
    return false;
  }
  [[noreturn]] ZERO_OUT_OF_LINE void fail_not_held(ParameterId id) const {
    bool const known = id.index < engine_.specs.size();
    fail<LeaseError>(
        {"zero::ParameterLease: ", known ? quote(engine_.specs[id.index].name) : MessagePart("a parameter"),
         " is not part of this lease: name it in the call of gather"});
  }
  [[noreturn]] ZERO_OUT_OF_LINE void fail_no_room(std::uint32_t refused) const {
    auto const& block = engine_.layout.blocks()[refused];
    fail<LeaseError>({"zero::Engine: gathering unit ", block.unit, " needs ", block.elements, " elements, but ",
                      arena_.resident_elements(), " of the live bound of ", arena_.capacity(),
                      " are held: end leases earlier or raise max_live_elements"});
  }

  EngineContext<Backend> const& engine_;
  UnitPrefetcher prefetcher_;
  ParameterStorage<Backend> storage_;
  GatherArena<Backend> arena_;
  FixedArray<typename Backend::Event> published_;  // of buckets that are kept whole
  LeaseRecords records_;
  StreamFence<Backend> readers_;
};

}  // namespace zero::detail
