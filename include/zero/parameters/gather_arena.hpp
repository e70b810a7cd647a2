// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/engine/operations.hpp>
#include <zero/layout/gather_places.hpp>
#include <zero/memory_report.hpp>
#include <zero/parameters/storage.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/reusable_vector.hpp>
#include <zero/support/stream_fence.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace zero::detail {

/// Owns memory of a bounded size for the sharded blocks that are gathered, and knows which of them it holds (resident
/// blocks), where, and who read there last. A pinned block stays; the others go when their memory is needed. A block
/// lies in its place, if it has one that no pinned block is in, and else in the first room that is large enough. All
/// blocks of one gather get their rooms before the first is filled. Gathers run on the communication stream; no
/// function blocks the host.
template <class Backend>
class GatherArena {
 public:
  using Stream = typename Backend::Stream;

  /// As large as \p places. \p engine and \p storage are borrowed. \throws whatever the backend's allocator throws.
  GatherArena(EngineContext<Backend> const& engine, ParameterStorage<Backend> const& storage, GatherPlaces places)
      : engine_(engine),
        storage_(storage),
        places_(std::move(places)),
        memory_(engine, ElementRole::value, MemoryKind::device, MemoryPurpose::gathered, places_.elements()),
        blocks_(engine.layout.blocks().size()) {}
  GatherArena(GatherArena const&) = delete;
  GatherArena& operator=(GatherArena const&) = delete;

  [[nodiscard]] std::size_t capacity() const noexcept { return places_.elements(); }
  /// Elements of all blocks that have room.
  [[nodiscard]] std::size_t resident_elements() const noexcept {
    std::size_t elements = 0;
    for (auto block : occupants_) elements += block_elements(block);
    return elements;
  }
  [[nodiscard]] bool is_resident(std::uint32_t block) const noexcept {
    return blocks_[block].residence == Residence::resident;
  }
  /// Address of an element of \p block, which is resident.
  [[nodiscard]] std::byte* at(std::uint32_t block, std::size_t offset) const noexcept {
    return memory_.at(blocks_[block].offset + offset);
  }

  // ------------------------------------------------------------------------------------------------- gathering

  /// Makes \p blocks resident, each of which the caller has pinned once; those that are resident already stay where
  /// they are if the others fit beside them. Returns the first that has no room, or nothing. Counts what is sent in \p
  /// traffic, a counter of the engine's. \throws CommunicationError. After a refusal or an error the caller unpins and
  /// evicts them all.
  std::optional<std::uint32_t> gather(std::span<std::uint32_t const> blocks, std::uint64_t& traffic) {
    if (reserve(blocks)) {
      evict_all_but_held(blocks);
      if (auto const refused = reserve(blocks)) return refused;
    }
    for (auto block : blocks) fill(block, traffic);
    return std::nullopt;
  }
  /// Makes \p block resident if it is not and there is room that nothing resident takes; false if there is none.
  /// \throws CommunicationError; the block is not resident then.
  bool gather_ahead(std::uint32_t block, std::uint64_t& traffic) {
    if (!reserve(block, Eviction::forbidden)) return false;
    try {
      fill(block, traffic);
    } catch (...) {
      evict(block);
      throw;
    }
    return true;
  }
  /// \p stream waits until \p block, which is resident, has been gathered.
  void wait_until_gathered(std::uint32_t block, Stream stream) const {
    engine_.backend.wait(stream, blocks_[block].gathered);
  }

  // ------------------------------------------------------------------------------------------------- residency

  /// Keeps \p block from eviction until as many unpins. It need not be resident yet.
  void pin(std::uint32_t block) noexcept { ++blocks_[block].pins; }
  void unpin(std::uint32_t block) noexcept { --blocks_[block].pins; }
  [[nodiscard]] bool is_pinned(std::uint32_t block) const noexcept { return blocks_[block].pins > 0; }

  /// \p stream reads \p block, as far as work has been put on it: memory is not written again before that has run.
  void record_reader(std::uint32_t block, Stream stream) { blocks_[block].readers.record(engine_.backend, stream); }

  /// Evicts \p block if it has room and nobody has pinned it.
  void evict_unpinned(std::uint32_t block) noexcept {
    if (blocks_[block].pins == 0 && blocks_[block].residence != Residence::none) evict(block);
  }
  /// Evicts everything. Nothing is pinned.
  void evict_all() noexcept {
    for (auto block : occupants_) blocks_[block].residence = Residence::none;
    occupants_.clear();
  }

 private:
  /// Whether a gather may take the memory of blocks that nobody has pinned.
  enum class Eviction : std::uint8_t { allowed, forbidden };
  /// Of a block: room is first reserved, and then filled.
  enum class Residence : std::uint8_t { none, reserved, resident };

  struct BlockState {
    std::size_t offset = 0;   // while it has room
    std::size_t read_at = 0;  // where the readers read, and may go on to read after the block has been evicted
    int pins = 0;
    Residence residence = Residence::none;
    typename Backend::Event gathered{};
    StreamFence<Backend> readers;
  };

  static constexpr std::size_t no_room = SIZE_MAX;

  [[nodiscard]] std::size_t block_elements(std::uint32_t block) const noexcept {
    return engine_.layout.blocks()[block].elements;
  }

  // The first of `blocks` that has no room, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> reserve(std::span<std::uint32_t const> blocks) {
    for (auto block : blocks) {
      if (!reserve(block, Eviction::allowed)) return block;
    }
    return std::nullopt;
  }
  [[nodiscard]] bool reserve(std::uint32_t block, Eviction eviction) {
    auto& state = blocks_[block];
    if (state.residence != Residence::none) return true;
    std::size_t const offset = take_room(block, block_elements(block), eviction);
    if (offset == no_room) return false;
    occupants_.push_back(block);
    state.offset = offset;
    state.residence = Residence::reserved;
    return true;
  }

  // Rooms that were taken one after the other, beside what had been gathered ahead, can leave none for the last block
  // although all fit: only what other leases hold has to stay where it is.
  void evict_all_but_held(std::span<std::uint32_t const> blocks) noexcept {
    for (auto block : blocks) {
      if (blocks_[block].pins == 1 && blocks_[block].residence != Residence::none) evict(block);
    }
    while (evict_oldest()) {
    }
  }

  void fill(std::uint32_t block, std::uint64_t& traffic) {
    auto& state = blocks_[block];
    if (state.residence == Residence::resident) return;
    wait_for_readers(block, state.offset, state.offset + block_elements(block));
    state.read_at = state.offset;
    all_gather(block, state.offset, traffic);
    engine_.backend.record(state.gathered, engine_.communication);
    state.residence = Residence::resident;
  }

  // What is gathered ahead takes its place or none: elsewhere it could be in the way of those that come before it.
  [[nodiscard]] std::size_t take_room(std::uint32_t block, std::size_t elements, Eviction eviction) noexcept {
    std::size_t const place = places_[block];
    if (place != GatherPlaces::none) {
      if (vacate(place, place + elements, eviction)) return place;
      if (eviction == Eviction::forbidden) return no_room;
    }
    std::size_t offset = find_room(elements);
    while (offset == no_room && eviction == Eviction::allowed && evict_oldest()) offset = find_room(elements);
    return offset;
  }

  // Evicts what lies within [begin, end), if all of it may go.
  [[nodiscard]] bool vacate(std::size_t begin, std::size_t end, Eviction eviction) noexcept {
    auto const lies_within = [&](std::uint32_t block) {
      return blocks_[block].offset < end && blocks_[block].offset + block_elements(block) > begin;
    };
    for (auto block : occupants_) {
      if (lies_within(block) && (eviction == Eviction::forbidden || blocks_[block].pins > 0)) return false;
    }
    for (std::size_t i = occupants_.size(); i-- > 0;) {
      if (lies_within(occupants_[i])) evict(occupants_[i]);
    }
    return true;
  }

  // First fit: addresses depend on the order of calls alone, and repeat from step to step.
  [[nodiscard]] std::size_t find_room(std::size_t elements) const noexcept {
    std::size_t offset = 0;
    for (bool moved = true; moved;) {
      if (offset + elements > capacity()) return no_room;
      moved = false;
      for (auto block : occupants_) {
        std::size_t const begin = blocks_[block].offset;
        std::size_t const end = begin + block_elements(block);
        if (begin >= offset + elements || end <= offset) continue;
        offset = end;
        moved = true;
      }
    }
    return offset;
  }

  // The last readers of memory that is used again may still run on their streams. So may those of `block` where it lay
  // before, which nobody will know to have read there once it lies elsewhere.
  void wait_for_readers(std::uint32_t block, std::size_t begin, std::size_t end) {
    for (std::uint32_t i = 0; i < blocks_.size(); ++i) {
      auto const& state = blocks_[i];
      if (engine_.layout.blocks()[i].whole) continue;
      bool const read_there = state.read_at < end && state.read_at + block_elements(i) > begin;
      if (read_there || i == block) state.readers.make_wait(engine_.backend, engine_.communication);
    }
  }

  void all_gather(std::uint32_t number, std::size_t offset, std::uint64_t& traffic) {
    auto const& block = engine_.layout.blocks()[number];
    for (std::uint32_t b = block.first_bucket; b < block.first_bucket + block.bucket_count; ++b) {
      storage_.all_gather(b, memory_.at(offset + (engine_.layout.buckets()[b].begin - block.begin)), "gather", traffic);
    }
  }

  bool evict_oldest() noexcept {
    for (auto block : occupants_) {
      if (blocks_[block].pins > 0) continue;
      evict(block);
      return true;
    }
    return false;
  }
  // The others keep their order, in which they may be evicted.
  void evict(std::uint32_t block) noexcept {
    blocks_[block].residence = Residence::none;
    std::size_t kept = 0;
    for (auto other : occupants_) {
      if (other != block) occupants_[kept++] = other;
    }
    occupants_.pop_back();
  }

  EngineContext<Backend> const& engine_;
  ParameterStorage<Backend> const& storage_;
  GatherPlaces places_;
  ElementBuffer<Backend> memory_;
  FixedArray<BlockState> blocks_;
  ReusableVector<std::uint32_t> occupants_;  // blocks that have room, in the order in which they got it
};

}  // namespace zero::detail
