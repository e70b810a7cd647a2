// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/engine/operations.hpp>
#include <zero/memory_report.hpp>
#include <zero/parameter.hpp>
#include <zero/partitioner.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zero::detail {

/// Owns what one rank keeps of the parameters in the compute type: whole blocks (all of them below stage 3, the small
/// ones at stage 3), and its shards of the others. Copies whole parameters back to adopted buffers, which are the
/// caller's. Addresses never change.
template <class Backend>
class ParameterStorage {
 public:
  using Stream = typename Backend::Stream;

  /// \p engine is borrowed. \throws whatever the backend's allocator throws.
  ZERO_OUT_OF_LINE explicit ParameterStorage(EngineContext<Backend> const& engine)
      : engine_(engine), block_offsets_(engine.layout.blocks().size()) {
    std::size_t whole = 0;
    std::size_t sharded = 0;
    for (std::size_t i = 0; i < block_offsets_.size(); ++i) {
      auto const& block = engine.layout.blocks()[i];
      auto& size = block.whole ? whole : sharded;
      block_offsets_[i] = size;
      size += block.elements / (block.whole ? 1 : engine.world());
    }
    whole_ = {engine, ElementRole::value, MemoryKind::device, MemoryPurpose::parameters, whole};
    shards_ = {engine, ElementRole::value, MemoryKind::device, MemoryPurpose::parameters, sharded};
    list_adopted();
  }
  ParameterStorage(ParameterStorage const&) = delete;
  ParameterStorage& operator=(ParameterStorage const&) = delete;

  // ------------------------------------------------------------------------------------------------- addresses

  [[nodiscard]] bool is_whole(std::size_t b) const noexcept {
    return engine_.layout.blocks()[engine_.layout.buckets()[b].block].whole;
  }
  /// This rank's slice of bucket \p b.
  [[nodiscard]] ZERO_OUT_OF_LINE std::byte* slice(std::size_t b) const noexcept {
    auto const& bucket = engine_.layout.buckets()[b];
    if (is_whole(b)) {
      return whole_.at(whole_offset(bucket.block, bucket.begin) + engine_.rank * engine_.layout.slice_elements(b));
    }
    std::size_t const in_block = bucket.begin - engine_.layout.blocks()[bucket.block].begin;
    return shards_.at(block_offsets_[bucket.block] + in_block / engine_.world());
  }
  /// All of bucket \p b, which is kept whole.
  [[nodiscard]] ZERO_OUT_OF_LINE std::byte* whole_bucket(std::size_t b) const noexcept {
    auto const& bucket = engine_.layout.buckets()[b];
    return whole_.at(whole_offset(bucket.block, bucket.begin));
  }
  /// What a trainer reads of parameter \p id, which is kept whole: its adopted buffer, if it has one.
  [[nodiscard]] void* whole_parameter(ParameterId id) const noexcept {
    auto const& adopted = engine_.specs[id.index].values;
    if (adopted && updates_adopted()) return adopted->data;
    auto const& extent = engine_.layout.extents()[id.index];
    return whole_.at(whole_offset(extent.block, extent.begin));
  }

  // ------------------------------------------------------------------------------------------------- communication

  /// Gathers bucket \p b from the slices of all ranks to \p full, on the communication stream, and counts what this
  /// rank sends in \p elements, a counter of the engine's traffic. \p what is its purpose, for messages. \throws
  /// CommunicationError; nothing is counted then.
  void all_gather(std::size_t b, void* full, std::string_view what, std::uint64_t& elements) const {
    std::size_t const n = engine_.layout.slice_elements(b);
    engine_.collectives.all_gather(ElementRole::value, slice(b), full, n, {what, b}, engine_.communication);
    elements += n * (engine_.world() - 1);
    ++engine_.traffic.collectives;
  }

  // ------------------------------------------------------------------------------------------------- adopted buffers

  /// Copies all adopted parameters to the caller's buffers, as one operation of the communication stream.
  void copy_to_adopted() {
    if (adopted_.size() == 0) return;
    engine_.backend.copy_many({adopted_.begin(), adopted_.size()}, engine_.communication);
    engine_.backend.record(adopted_current_, engine_.communication);
  }
  /// \p stream waits until adopted buffers hold what was copied last.
  void wait_for_adopted(Stream stream) const {
    if (adopted_.size() != 0) engine_.backend.wait(stream, adopted_current_);
  }

 private:
  // At stage 3 there is no whole parameter to copy.
  [[nodiscard]] bool updates_adopted() const noexcept { return engine_.stage() != Stage::parameters; }

  /// In whole_, of the element \p begin of the flat space, which lies in \p block.
  [[nodiscard]] std::size_t whole_offset(std::uint32_t block, std::size_t begin) const noexcept {
    return block_offsets_[block] + (begin - engine_.layout.blocks()[block].begin);
  }

  ZERO_OUT_OF_LINE void list_adopted() {
    std::size_t count = 0;
    for (auto const& spec : engine_.specs) count += updates_adopted() && spec.values ? 1 : 0;
    adopted_ = FixedArray<CopyRange>(count);
    for (std::size_t i = engine_.specs.size(); count > 0;) {
      auto const& adopted = engine_.specs[--i].values;
      if (!adopted) continue;
      auto const& extent = engine_.layout.extents()[i];
      adopted_[--count] = {adopted->data, whole_.at(whole_offset(extent.block, extent.begin)),
                           extent.count * whole_.element_bytes()};
    }
  }

  EngineContext<Backend> const& engine_;
  FixedArray<std::size_t> block_offsets_;  // of a block in whole_, or of its shard in shards_
  ElementBuffer<Backend> whole_;
  ElementBuffer<Backend> shards_;
  FixedArray<CopyRange> adopted_;
  typename Backend::Event adopted_current_{};
};

}  // namespace zero::detail
