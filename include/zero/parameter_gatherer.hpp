// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/buffer.hpp>
#include <zero/communicator.hpp>
#include <zero/error.hpp>
#include <zero/flat_layout.hpp>
#include <zero/lease.hpp>
#include <zero/stream.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace zero {

/// What one gatherer may keep gathered, and how far it looks ahead.
struct GatherSettings {
  std::size_t live_elements = 0;  ///< stage 3: bound on gathered elements, with padding; 0: two units more than largest
  int prefetch_units = 1;         ///< stage 3: units gathered ahead, in the direction that gathers have taken
};

/// Owns the parameters in the compute type: whole below stage 3; at stage 3 this rank's slices, the small parameters
/// that are kept whole, and an arena of bounded size for what is gathered. Stable addresses below stage 3.
template <class T, class Backend, class Communicator>
class ParameterGatherer final : public detail::ParameterSource<typename Backend::Stream> {
 public:
  using Stream = typename Backend::Stream;

  ParameterGatherer(Backend& backend, Communicator& communicator, MemoryReport& books, FlatLayout const& layout,
                    std::vector<ParameterSpec> const& specs, GatherSettings const& settings, Traffic& traffic,
                    Stream communication)
      : backend_(backend),
        communicator_(communicator),
        layout_(layout),
        specs_(specs),
        traffic_(traffic),
        communication_(communication),
        prefetch_units_(settings.prefetch_units),
        blocks_(layout.blocks().size()),
        published_(layout.buckets().size()) {
    detail::require(settings.prefetch_units >= 0, "zero::Engine: prefetch_units must not be negative; 0 turns it off");
    std::size_t whole = 0;
    std::size_t sharded = 0;
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      auto const& block = layout.blocks()[i];
      blocks_[i].place = block.whole ? whole : sharded;
      (block.whole ? whole : sharded) += block.whole ? block.elements : block.elements / world();
    }
    find_units();
    live_bound_ = sharded == 0 ? 0 : live_bound(settings.live_elements);
    whole_ = {backend, books, MemoryKind::device, MemoryPurpose::parameters, whole};
    shards_ = {backend, books, MemoryKind::device, MemoryPurpose::parameters, sharded};
    gathered_ = {backend, books, MemoryKind::device, MemoryPurpose::gathered, live_bound_};
    keep_adopted();
  }

  // ------------------------------------------------------------------------------------------------- addresses

  /// This rank's slice of bucket \p b.
  [[nodiscard]] T* slice(std::size_t b) const noexcept {
    auto const& bucket = layout_.buckets()[b];
    auto const& block = layout_.blocks()[bucket.block];
    std::size_t const offset = bucket.begin - block.begin;
    if (!block.whole) return shards_.data() + blocks_[bucket.block].place + offset / world();
    return whole_bucket(b) + rank() * layout_.slice_elements(b);
  }
  /// All of bucket \p b, which is kept whole.
  [[nodiscard]] T* whole_bucket(std::size_t b) const noexcept {
    auto const& bucket = layout_.buckets()[b];
    return whole_.data() + blocks_[bucket.block].place + (bucket.begin - layout_.blocks()[bucket.block].begin);
  }
  [[nodiscard]] bool is_whole(std::size_t b) const noexcept {
    return layout_.blocks()[layout_.buckets()[b].block].whole;
  }

  // ------------------------------------------------------------------------------------------------- gathering

  /// Makes \p ids whole for \p stream and keeps them so until the record is released. \p training tells gathers of the
  /// step from those of an evaluation in the traffic. \throws LeaseError beyond the live bound; nothing is held then.
  [[nodiscard]] std::uint32_t gather(std::span<ParameterId const> ids, Stream stream, bool training) {
    training_ = training;
    std::uint32_t const number = take_record();
    auto& record = records_[number];
    record.ids.assign(ids.begin(), ids.end());
    for (auto id : ids) {
      auto const& place = layout_.places().at(id.index);
      if (layout_.blocks()[place.block].whole) {
        for (std::uint32_t b = 0; b < place.bucket_count; ++b)
          backend_.wait(stream, published_[place.first_bucket + b]);
      } else if (std::find(record.blocks.begin(), record.blocks.end(), place.block) == record.blocks.end()) {
        record.blocks.push_back(place.block);
      }
    }
    if (has_adopted_) backend_.wait(stream, adopted_current_);
    hold(number);
    for (auto block : record.blocks) backend_.wait(stream, blocks_[block].ready);
    for (auto block : record.blocks) prefetch_beside(layout_.blocks()[block].unit);
    return number;
  }

  void* parameter(std::uint32_t record, ParameterId id) override {
    auto const& held = records_[record].ids;
    if (std::find(held.begin(), held.end(), id) == held.end()) {
      throw LeaseError(detail::sentence(
          {"zero::ParameterLease: ", (id.index < specs_.size() ? detail::quoted(specs_[id.index].name) : "a parameter"),
           " is not part of this lease: name it in the call of gather"}));
    }
    auto const& place = layout_.places()[id.index];
    auto const& block = layout_.blocks()[place.block];
    if (block.whole) {
      auto const& adopted = specs_[id.index].values;
      if (adopted && keeps_adopted()) return adopted->data;
      return whole_.data() + blocks_[place.block].place + (place.begin - block.begin);
    }
    return gathered_.data() + blocks_[place.block].at + (place.begin - block.begin);
  }

  [[nodiscard]] std::size_t element_count(ParameterId id) const override { return layout_.places()[id.index].count; }

  void release(std::uint32_t record, Stream stream) noexcept override {
    readers_.note(backend_, stream);
    for (auto block : records_[record].blocks) {
      blocks_[block].readers.note(backend_, stream);
      --blocks_[block].leases;
      evict_unless_held(block);
    }
    return_record(record);
  }

  // ------------------------------------------------------------------------------------------------- publishing

  /// \p stream waits until nobody reads parameters that the update is going to change.
  void join_readers(Stream stream) {
    readers_.join(backend_, stream);
    readers_.clear();
  }

  /// Forgets what has been gathered, and in which direction: the parameters are about to change, and the next step's
  /// gathers are to take the places of the last one's. \throws SequenceError while leases are held.
  void invalidate() {
    for (auto const& record : records_) {
      if (record.ids.empty()) continue;
      throw SequenceError(
          detail::sentence({"zero::Engine: a lease on ", detail::quoted(specs_[record.ids.front().index].name),
                            " is still held: end every lease before the parameters change"}));
    }
    while (!resident_.empty()) evict(resident_.back());
    last_unit_ = -1;
  }

  /// Makes the updated slices of bucket \p b known to all ranks. Stage 3 does so at the next gather.
  void publish(std::size_t b, bool all_gather) {
    if (!is_whole(b)) return;
    if (all_gather) {
      std::size_t const n = layout_.slice_elements(b);
      communicator_.all_gather(slice(b), whole_bucket(b), n, {"parameters", b}, communication_);
      traffic_.parameters += n * (world() - 1);
      ++traffic_.collectives;
    }
    backend_.record(published_[b], communication_);
  }

  /// Copies all adopted parameters back to the caller's buffers, as one operation after every `publish`.
  void copy_to_adopted() {
    if (!has_adopted_) return;
    backend_.copy_many(adopted_, communication_);
    backend_.record(adopted_current_, communication_);
  }

 private:
  struct BlockState {
    std::size_t place = 0;  // in whole_ or shards_
    std::size_t at = 0;     // in gathered_, while resident; kept afterwards to know who read there last
    int leases = 0;
    bool resident = false;
    typename Backend::Event ready{};
    StreamJoin<Backend> readers;
  };
  struct Record {
    std::vector<ParameterId> ids;
    std::vector<std::uint32_t> blocks;
  };
  struct Unit {
    explicit Unit(int n) : number(n) {}
    int number;
    std::size_t elements = 0;
    bool in_order = true;  // no tied parameters, whose use does not follow the order of units
    std::vector<std::uint32_t> blocks;
  };

  [[nodiscard]] std::size_t world() const noexcept { return layout_.settings().world; }
  [[nodiscard]] std::size_t rank() const noexcept { return static_cast<std::size_t>(communicator_.rank()); }
  [[nodiscard]] bool keeps_adopted() const noexcept { return layout_.settings().stage != Stage::parameters; }

  void find_units() {
    for (std::uint32_t i = 0; i < blocks_.size(); ++i) {
      auto const& block = layout_.blocks()[i];
      if (block.whole) continue;
      auto unit = units_.begin() + find_unit(block.unit);
      if (unit == units_.end() || unit->number != block.unit) unit = units_.insert(unit, Unit{block.unit});
      unit->elements += block.elements;
      unit->blocks.push_back(i);
      for (auto const& piece : layout_.buckets()[block.first_bucket].pieces) {
        if (specs_[piece.parameter].contributions > 1) unit->in_order = false;
      }
    }
  }

  /// By default the largest unit, as many ahead as are prefetched, and the tied parameters that may be held meanwhile.
  [[nodiscard]] std::size_t live_bound(std::size_t asked) const {
    std::size_t largest = 0;
    std::size_t tied = 0;
    std::size_t all = 0;
    for (auto const& unit : units_) {
      all += unit.elements;
      largest = std::max(largest, unit.elements);
      if (!unit.in_order) tied += unit.elements;
    }
    if (asked == 0) return std::min(all, largest * (static_cast<std::size_t>(prefetch_units_) + 1) + tied);
    return std::min(all, asked);
  }

  void keep_adopted() {
    if (!keeps_adopted()) return;
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      auto const& adopted = specs_[i].values;
      if (!adopted) continue;
      auto const& place = layout_.places()[i];
      T const* from = whole_.data() + blocks_[place.block].place + (place.begin - layout_.blocks()[place.block].begin);
      adopted_.push_back({adopted->data, from, place.count * sizeof(T)});
    }
    has_adopted_ = !adopted_.empty();
  }

  // Records are reused, so that taking and ending a lease allocates nothing once the model has been seen.
  std::uint32_t take_record() {
    if (free_records_.empty()) {
      records_.emplace_back();
      free_records_.push_back(static_cast<std::uint32_t>(records_.size() - 1));
      free_records_.reserve(records_.size());
    }
    auto const number = free_records_.back();
    free_records_.pop_back();
    return number;
  }
  void return_record(std::uint32_t number) noexcept {
    records_[number].ids.clear();
    records_[number].blocks.clear();
    free_records_.push_back(number);
  }

  void hold(std::uint32_t number) {
    auto const& blocks = records_[number].blocks;
    for (auto block : blocks) ++blocks_[block].leases;
    for (auto block : blocks) {
      if (blocks_[block].resident || make_resident(block, true)) continue;
      refuse(number, block);
    }
  }

  [[noreturn]] void refuse(std::uint32_t number, std::uint32_t refused) {
    for (auto block : records_[number].blocks) --blocks_[block].leases;
    return_record(number);
    std::size_t live = 0;
    for (auto block : resident_) live += layout_.blocks()[block].elements;
    throw LeaseError(
        detail::sentence({"zero::Engine: gathering unit ", layout_.blocks()[refused].unit, " needs ",
                          layout_.blocks()[refused].elements, " elements, but ", live, " of the live bound of ",
                          live_bound_, " are held: end leases earlier or raise live_elements"}));
  }

  /// Gathers one block into the arena; false if there is no room. \p may_evict: prefetched blocks may go.
  bool make_resident(std::uint32_t number, bool may_evict) {
    auto const& block = layout_.blocks()[number];
    auto at = find_room(block.elements);
    while (at == no_room && may_evict && evict_one_prefetched()) at = find_room(block.elements);
    if (at == no_room) return false;
    wait_for_readers(at, at + block.elements);
    auto& state = blocks_[number];
    state.at = at;
    state.resident = true;
    resident_.push_back(number);
    for (std::uint32_t b = block.first_bucket; b < block.first_bucket + block.bucket_count; ++b) {
      auto const& bucket = layout_.buckets()[b];
      std::size_t const n = layout_.slice_elements(b);
      communicator_.all_gather(slice(b), gathered_.data() + at + (bucket.begin - block.begin), n, {"gather", b},
                               communication_);
      (training_ ? traffic_.gathered : traffic_.evaluation) += n * (world() - 1);
      ++traffic_.collectives;
    }
    backend_.record(state.ready, communication_);
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
        std::size_t const end = blocks_[number].at + layout_.blocks()[number].elements;
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
      std::size_t const elements = layout_.blocks()[i].elements;
      if (layout_.blocks()[i].whole || state.at >= end || state.at + elements <= begin) continue;
      state.readers.join(backend_, communication_);
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
  void evict_unless_held(std::uint32_t number) noexcept {
    if (blocks_[number].leases == 0 && blocks_[number].resident) evict(number);
  }
  void evict(std::uint32_t number) noexcept {
    blocks_[number].resident = false;
    resident_.erase(std::find(resident_.begin(), resident_.end(), number));
  }

  [[nodiscard]] std::ptrdiff_t find_unit(int number) const {
    auto const unit =
        std::lower_bound(units_.begin(), units_.end(), number, [](Unit const& u, int n) { return u.number < n; });
    return unit - units_.begin();
  }

  /// Gathers the units that follow \p number in the direction that gathers have taken, as far as there is room. Tied
  /// parameters say nothing of the direction. Backward has no use for the first unit: embeddings are looked up once.
  void prefetch_beside(int number) {
    auto at = find_unit(number);
    if (!units_[static_cast<std::size_t>(at)].in_order || number == last_unit_) return;
    std::ptrdiff_t const direction = number > last_unit_ ? 1 : -1;
    std::ptrdiff_t const end = direction > 0 ? static_cast<std::ptrdiff_t>(units_.size()) : 0;
    last_unit_ = number;
    for (int ahead = 0; ahead < prefetch_units_; ++ahead) {
      at += direction;
      if ((direction > 0 && at >= end) || (direction < 0 && at <= end)) return;
      auto const& next = units_[static_cast<std::size_t>(at)];
      if (!next.in_order) return;
      for (auto block : next.blocks) {
        if (!blocks_[block].resident && !make_resident(block, false)) return;
      }
    }
  }

  Backend& backend_;
  Communicator& communicator_;
  FlatLayout const& layout_;
  std::vector<ParameterSpec> const& specs_;
  Traffic& traffic_;
  Stream communication_;
  int prefetch_units_;
  std::vector<BlockState> blocks_;
  std::vector<typename Backend::Event> published_;
  std::vector<Unit> units_;  // of what is not whole, by number
  std::size_t live_bound_ = 0;
  Buffer<T, Backend> whole_;
  Buffer<T, Backend> shards_;
  Buffer<T, Backend> gathered_;
  std::vector<std::uint32_t> resident_;
  std::vector<Record> records_;
  std::vector<std::uint32_t> free_records_;
  StreamJoin<Backend> readers_;
  std::vector<CopyRange> adopted_;
  typename Backend::Event adopted_current_{};
  bool has_adopted_ = false;
  bool training_ = false;
  int last_unit_ = -1;
};

}  // namespace zero
