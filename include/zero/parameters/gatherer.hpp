// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/lease_records.hpp>
#include <zero/error.hpp>
#include <zero/layout/unit_table.hpp>
#include <zero/lease.hpp>
#include <zero/memory/element_buffer.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/message.hpp>
#include <zero/support/reusable_vector.hpp>
#include <zero/support/stream_fence.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>

namespace zero::detail {

/// What one gatherer may keep gathered, and how far it looks ahead.
struct GatherSettings {
  std::size_t max_live_elements =
      0;                   ///< stage 3: bound on gathered elements, with padding; 0: two units more than largest
  int prefetch_units = 1;  ///< stage 3: units gathered ahead, in the direction that gathers have taken
};

/// Owns the parameters in the compute type: whole below stage 3; at stage 3 this rank's slices, the small parameters
/// that are kept whole, and an arena of bounded size for what is gathered. Stable addresses below stage 3.
template <class Backend>
class ParameterGatherer final : public ParameterSource<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  [[gnu::noinline]] ParameterGatherer(EngineContext<Backend> const& engine, GatherSettings const& settings)
      : engine_(engine),
        prefetch_units_(settings.prefetch_units),
        blocks_(engine.layout.blocks().size()),
        published_(engine.layout.buckets().size()),
        units_(blocks_.size()) {
    require(settings.prefetch_units >= 0, "zero::Engine: prefetch_units must not be negative; 0 turns it off");
    std::size_t whole = 0;
    std::size_t sharded = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      auto const& block = engine.layout.blocks()[i];
      auto& room = block.whole ? whole : sharded;
      blocks_[i].place = room;
      room += block.elements / (block.whole ? 1 : engine.world());
    }
    find_units();
    live_bound_ = sharded == 0 ? 0 : live_bound(settings.max_live_elements);
    whole_ = allocate(MemoryPurpose::parameters, whole);
    shards_ = allocate(MemoryPurpose::parameters, sharded);
    gathered_ = allocate(MemoryPurpose::gathered, live_bound_);
    keep_adopted();
  }

  // ------------------------------------------------------------------------------------------------- addresses

  /// This rank's slice of bucket \p b, in the compute type.
  [[nodiscard, gnu::noinline]] std::byte* slice(std::size_t b) const noexcept {
    auto const& bucket = engine_.layout.buckets()[b];
    if (is_whole(b)) return whole_.at(in_whole(bucket.block, bucket.begin) + engine_.rank * slice_elements(b));
    std::size_t const offset = bucket.begin - engine_.layout.blocks()[bucket.block].begin;
    return shards_.at(blocks_[bucket.block].place + offset / engine_.world());
  }
  /// All of bucket \p b, which is kept whole.
  [[nodiscard, gnu::noinline]] std::byte* whole_bucket(std::size_t b) const noexcept {
    auto const& bucket = engine_.layout.buckets()[b];
    return whole_.at(in_whole(bucket.block, bucket.begin));
  }
  [[nodiscard]] bool is_whole(std::size_t b) const noexcept {
    return engine_.layout.blocks()[engine_.layout.buckets()[b].block].whole;
  }

  // ------------------------------------------------------------------------------------------------- gathering

  /// Makes \p ids whole for \p stream and keeps them so until the record is released. \p training tells gathers of the
  /// step from those of an evaluation in the traffic. \throws LeaseError beyond the live bound; nothing is held then.
  [[nodiscard]] std::uint32_t gather(std::span<ParameterId const> ids, Stream stream, bool training) {
    training_ = training;
    std::uint32_t const number = records_.take();
    auto& record = records_[number];
    for (auto id : ids) {
      record.ids.push_back(id);
      auto const& place = engine_.layout.extents()[id.index];
      if (!engine_.layout.blocks()[place.block].whole) {
        enter_once(record.blocks, place.block);
        continue;
      }
      for (std::uint32_t b = 0; b < place.bucket_count; ++b) {
        engine_.backend.wait(stream, published_[place.first_bucket + b]);
      }
    }
    if (adopted_.size() != 0) engine_.backend.wait(stream, adopted_current_);
    hold(number);
    for (auto block : record.blocks) engine_.backend.wait(stream, blocks_[block].ready);
    for (auto block : record.blocks) prefetch_beside(engine_.layout.blocks()[block].unit);
    return number;
  }

  void* parameter(std::uint32_t record, ParameterId id) override {
    if (!holds(record, id)) fail_not_held(id);
    auto const& place = engine_.layout.extents()[id.index];
    auto const& block = engine_.layout.blocks()[place.block];
    if (!block.whole) return gathered_.at(blocks_[place.block].at + (place.begin - block.begin));
    auto const& adopted = engine_.specs[id.index].values;
    if (adopted && keeps_adopted()) return adopted->data;
    return whole_.at(in_whole(place.block, place.begin));
  }

  [[nodiscard]] std::size_t element_count(ParameterId id) const override {
    return engine_.layout.extents()[id.index].count;
  }

  void release(std::uint32_t record, Stream stream) noexcept override {
    try {
      readers_.record(engine_.backend, stream);
      for (auto block : records_[record].blocks) blocks_[block].readers.record(engine_.backend, stream);
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
    }
    for (auto block : records_[record].blocks) {
      --blocks_[block].leases;
      if (blocks_[block].leases == 0 && blocks_[block].resident) evict(block);
    }
    records_.give_back(record);
  }

  // ------------------------------------------------------------------------------------------------- publishing

  /// \p stream waits until nobody reads parameters that the update is going to change.
  void join_readers(Stream stream) {
    readers_.make_wait(engine_.backend, stream);
    readers_.reset();
  }

  /// Forgets what has been gathered, and in which direction: the parameters are about to change, and the next step's
  /// gathers are to take the places of the last one's. \throws SequenceError while leases are held.
  [[gnu::noinline]] void invalidate() {
    for (auto const& record : records_.all()) {
      if (record.ids.empty()) continue;
      fail<SequenceError>({"zero::Engine: a lease on ", quote(engine_.specs[record.ids[0].index].name),
                           " is still held: end every lease before the parameters change"});
    }
    while (!resident_.empty()) evict(resident_[resident_.size() - 1]);
    last_unit_ = -1;
  }

  /// Makes the updated slices of bucket \p b known to all ranks. Stage 3 does so at the next gather.
  void all_gather_updated(std::size_t b, bool all_gather) {
    if (!is_whole(b)) return;
    if (all_gather) this->all_gather(b, whole_bucket(b), "parameters", engine_.traffic.parameters);
    engine_.backend.record(published_[b], engine_.communication);
  }

  /// Copies all adopted parameters back to the caller's buffers, as one operation after every `publish`.
  void copy_to_adopted() {
    if (adopted_.size() == 0) return;
    engine_.backend.copy_many({adopted_.begin(), adopted_.size()}, engine_.communication);
    engine_.backend.record(adopted_current_, engine_.communication);
  }

 private:
  struct BlockState {
    std::size_t place = 0;  // in whole_ or shards_
    std::size_t at = 0;     // in gathered_, while resident; kept afterwards to know who read there last
    int leases = 0;
    bool resident = false;
    typename Backend::Event ready{};
    StreamFence<Backend> readers;
  };

  [[nodiscard]] std::size_t slice_elements(std::size_t b) const noexcept { return engine_.layout.slice_elements(b); }
  [[nodiscard]] std::size_t in_whole(std::uint32_t block, std::size_t begin) const noexcept {
    return blocks_[block].place + (begin - engine_.layout.blocks()[block].begin);
  }
  [[nodiscard]] bool keeps_adopted() const noexcept { return engine_.stage() != Stage::parameters; }
  [[nodiscard]] ElementBuffer<Backend> allocate(MemoryPurpose purpose, std::size_t elements) const {
    return {engine_, ElementRole::value, MemoryKind::device, purpose, elements};
  }

  void all_gather(std::size_t b, void* full, std::string_view what, std::uint64_t& elements) {
    std::size_t const n = slice_elements(b);
    engine_.collectives.all_gather(ElementRole::value, slice(b), full, n, {what, b}, engine_.communication);
    elements += n * (engine_.world() - 1);
    ++engine_.traffic.collectives;
  }

  [[gnu::noinline]] void find_units() {
    for (std::uint32_t i = 0; i < blocks_.size(); ++i) {
      auto const& block = engine_.layout.blocks()[i];
      if (block.whole) continue;
      bool in_order = true;
      for (auto const& segment : engine_.layout.buckets()[block.first_bucket].segments) {
        if (engine_.specs[segment.parameter].contributions > 1) in_order = false;
      }
      units_.add(block.unit, i, block.elements, in_order);
    }
  }

  /// By default the largest unit, as many ahead as are prefetched, and the tied parameters that may be held meanwhile.
  [[nodiscard]] std::size_t live_bound(std::size_t asked) const {
    std::size_t const all = units_.elements();
    if (asked != 0) return asked < all ? asked : all;
    std::size_t const bound =
        units_.largest() * (static_cast<std::size_t>(prefetch_units_) + 1) + units_.elements_out_of_order();
    return bound < all ? bound : all;
  }

  [[gnu::noinline]] void keep_adopted() {
    std::size_t count = 0;
    for (auto const& spec : engine_.specs) count += keeps_adopted() && spec.values ? 1 : 0;
    adopted_ = FixedArray<CopyRange>(count);
    for (std::size_t i = engine_.specs.size(); count > 0;) {
      auto const& adopted = engine_.specs[--i].values;
      if (!adopted) continue;
      auto const& place = engine_.layout.extents()[i];
      adopted_[--count] = {adopted->data, whole_.at(in_whole(place.block, place.begin)),
                           place.count * whole_.element_bytes()};
    }
  }

  static void enter_once(ReusableVector<std::uint32_t>& blocks, std::uint32_t block) {
    for (auto entered : blocks) {
      if (entered == block) return;
    }
    blocks.push_back(block);
  }

  [[nodiscard]] bool holds(std::uint32_t record, ParameterId id) const noexcept {
    for (auto held : records_[record].ids) {
      if (held == id) return true;
    }
    return false;
  }
  [[noreturn, gnu::noinline]] void fail_not_held(ParameterId id) const {
    bool const known = id.index < engine_.specs.size();
    fail<LeaseError>(
        {"zero::ParameterLease: ", known ? quote(engine_.specs[id.index].name) : MessagePart("a parameter"),
         " is not part of this lease: name it in the call of gather"});
  }

  void hold(std::uint32_t number) {
    auto const& blocks = records_[number].blocks;
    for (auto block : blocks) ++blocks_[block].leases;
    for (auto block : blocks) {
      if (!blocks_[block].resident && !make_resident(block, true)) throw_no_room(number, block);
    }
  }

  [[noreturn, gnu::noinline]] void throw_no_room(std::uint32_t number, std::uint32_t refused) {
    for (auto block : records_[number].blocks) --blocks_[block].leases;
    records_.give_back(number);
    std::size_t live = 0;
    for (auto block : resident_) live += engine_.layout.blocks()[block].elements;
    auto const& block = engine_.layout.blocks()[refused];
    fail<LeaseError>({"zero::Engine: gathering unit ", block.unit, " needs ", block.elements, " elements, but ", live,
                      " of the live bound of ", live_bound_,
                      " are held: end leases earlier or raise max_live_elements"});
  }

  /// Gathers one block into the arena; false if there is no room. \p may_evict: prefetched blocks may go.
  bool make_resident(std::uint32_t number, bool may_evict) {
    auto const& block = engine_.layout.blocks()[number];
    auto at = find_room(block.elements);
    while (at == no_room && may_evict && evict_one_prefetched()) at = find_room(block.elements);
    if (at == no_room) return false;
    wait_for_readers(at, at + block.elements);
    auto& state = blocks_[number];
    state.at = at;
    state.resident = true;
    resident_.push_back(number);
    for (std::uint32_t b = block.first_bucket; b < block.first_bucket + block.bucket_count; ++b) {
      all_gather(b, gathered_.at(at + (engine_.layout.buckets()[b].begin - block.begin)), "gather",
                 training_ ? engine_.traffic.gathered : engine_.traffic.evaluation);
    }
    engine_.backend.record(state.ready, engine_.communication);
    return true;
  }

  static constexpr std::size_t no_room = SIZE_MAX;

  // First fit: addresses depend on the order of calls alone, and repeat from step to step.
  [[nodiscard]] std::size_t find_room(std::size_t elements) const {
    std::size_t at = 0;
    for (bool moved = true; moved;) {
      if (at + elements > live_bound_) return no_room;
      moved = false;
      for (auto number : resident_) {
        std::size_t const end = blocks_[number].at + engine_.layout.blocks()[number].elements;
        if (blocks_[number].at >= at + elements || end <= at) continue;
        at = end;
        moved = true;
      }
    }
    return at;
  }

  // The last readers of memory that is used again may still run on their streams.
  void wait_for_readers(std::size_t begin, std::size_t end) {
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      auto& state = blocks_[i];
      auto const& block = engine_.layout.blocks()[i];
      if (block.whole || state.at >= end || state.at + block.elements <= begin) continue;
      state.readers.make_wait(engine_.backend, engine_.communication);
    }
  }

  bool evict_one_prefetched() {
    for (auto number : resident_) {
      if (blocks_[number].leases > 0) continue;
      evict(number);
      return true;
    }
    return false;
  }
  // The others keep their order, in which they may be evicted.
  void evict(std::uint32_t number) noexcept {
    blocks_[number].resident = false;
    std::size_t kept = 0;
    for (auto other : resident_) {
      if (other != number) resident_[kept++] = other;
    }
    resident_.pop_back();
  }

  /// Gathers the units that follow \p number in the direction that gathers have taken, as far as there is room. Tied
  /// parameters say nothing of the direction. Backward has no use for the first unit: embeddings are looked up once.
  void prefetch_beside(int number) {
    auto at = units_.find(number);
    if (!units_[at].in_order || number == last_unit_) return;
    bool const forward = number > last_unit_;
    last_unit_ = number;
    for (int ahead = 0; ahead < prefetch_units_; ++ahead) {
      if (forward ? at + 1 >= units_.size() : at <= 1) return;
      at = forward ? at + 1 : at - 1;
      if (!units_[at].in_order) return;
      for (auto block : units_[at].blocks) {
        if (!blocks_[block].resident && !make_resident(block, false)) return;
      }
    }
  }

  EngineContext<Backend> const& engine_;
  int prefetch_units_;
  FixedArray<BlockState> blocks_;
  FixedArray<typename Backend::Event> published_;
  UnitTable units_;  // of what is not whole
  std::size_t live_bound_ = 0;
  ElementBuffer<Backend> whole_;
  ElementBuffer<Backend> shards_;
  ElementBuffer<Backend> gathered_;
  ReusableVector<std::uint32_t> resident_;
  LeaseRecords records_;
  StreamFence<Backend> readers_;
  FixedArray<CopyRange> adopted_;
  typename Backend::Event adopted_current_{};
  bool training_ = false;
  int last_unit_ = -1;
};

}  // namespace zero::detail
