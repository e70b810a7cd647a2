// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/buffer.hpp>
#include <zero/flat_layout.hpp>
#include <zero/gradient_reducer.hpp>
#include <zero/kernels/update.hpp>
#include <zero/offload.hpp>
#include <zero/parameter_gatherer.hpp>
#include <zero/step_decision.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

namespace zero {

/// Part of a bucket that one update works on: what this rank owns of it, or a chunk of that with offload.
struct UpdateChunk {
  std::size_t bucket = 0;
  std::size_t begin = 0;  ///< elements from the start of what this rank owns of the bucket
  std::size_t count = 0;
  bool ends_bucket = false;
  std::vector<Piece> pieces;  ///< offsets count from the chunk's start
};

/// Owns the fp32 states: the rule's, and master parameters where the compute type is narrower or the states are
/// offloaded. Runs the fused update, bucket after bucket; each bucket's new parameters travel while the next is
/// updated.
template <class Rule, class Offload, class T, class Sum, class Backend, class Communicator>
class ParameterUpdater {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;
  using Gatherer = ParameterGatherer<T, Backend, Communicator>;
  using Reducer = GradientReducer<T, Sum, Backend, Communicator>;
  /// Whether fp32 parameters exist beside those in the compute type.
  static constexpr bool has_master = !std::is_same_v<T, float> || Offload::offloads;
  static constexpr MemoryKind states_kind = Offload::offloads ? MemoryKind::pageable : MemoryKind::device;

  ParameterUpdater(Backend& backend, MemoryReport& books, FlatLayout const& layout, Gatherer& gatherer,
                   Reducer& reducer, std::size_t rank, typename Offload::Config const& offload, Stream communication)
      : backend_(backend),
        layout_(layout),
        gatherer_(gatherer),
        reducer_(reducer),
        communication_(communication),
        updated_(layout.trainable_buckets()) {
    std::size_t const owned = updates_whole() ? layout.trainable() : layout.trainable() / layout.settings().world;
    if constexpr (has_master) master_ = {backend, books, states_kind, MemoryPurpose::master, owned};
    for (auto& state : states_) state = {backend, books, states_kind, MemoryPurpose::optimizer_states, owned};
    if constexpr (Offload::offloads) {
      std::size_t const granule = layout.settings().granule;
      staging_.emplace(backend, books, (offload.chunk_elements + granule - 1) / granule * granule, largest_owned(),
                       offload.staging_chunks);
    }
    for (std::size_t b = 0; b < layout.trainable_buckets(); ++b) cut_into_chunks(b, rank);
  }

  /// Updates every bucket and publishes it. Ends with the communication stream behind the last update.
  void update(Decision<Rule> const* decision, Stream stream) {
    if constexpr (Offload::offloads) {
      // The one host wait of an offloaded step: without the decision, copies to the device would have to be undone.
      backend_.synchronize(stream);
      backend_.host_reads(decision, sizeof *decision);
      if (!decision->apply) return;
      reducer_.join(staging_->host.get());
    }
    bool const all_gather = !updates_whole();
    for (auto const& chunk : chunks_) {
      if constexpr (Offload::offloads) {
        update_offloaded(chunk, decision);
      } else {
        backend_.template update<Rule, T, Sum>(chunk.pieces, arguments(chunk, value(chunk)), decision, stream);
        backend_.record(updated_[chunk.bucket], stream);
      }
      if (!chunk.ends_bucket) continue;
      backend_.wait(communication_, updated_[chunk.bucket]);
      gatherer_.publish(chunk.bucket, all_gather);
    }
  }

  /// What this rank owns of a bucket's fp32 parameters: the whole bucket at stage 0, else its slice.
  [[nodiscard]] float* master(std::size_t b) const noexcept {
    if constexpr (has_master) {
      return master_.data() + owned_offset(b);
    } else {
      return updates_whole() ? gatherer_.whole_bucket(b) : gatherer_.slice(b);
    }
  }
  /// The same of the rule's \p k-th state.
  [[nodiscard]] float* state(std::size_t k, std::size_t b) const noexcept {
    return states_[k].data() + owned_offset(b);
  }

 private:
  struct Staging {
    struct Chunk {
      Buffer<T, Backend> values;
      Event updated{};
      Event copied{};
    };
    Staging(Backend& backend, MemoryReport& books, std::size_t elements, std::size_t largest, std::size_t count)
        : host(backend.make_stream("update on host")),
          to_device(backend.make_stream("parameters to device")),
          chunks(count),
          chunk_elements(std::min(elements, std::max<std::size_t>(largest, 1))) {
      for (auto& chunk : chunks) {
        chunk.values = {backend, books, MemoryKind::pinned, MemoryPurpose::staging, chunk_elements};
      }
    }
    typename Backend::OwnedStream host;
    typename Backend::OwnedStream to_device;
    std::vector<Chunk> chunks;
    std::size_t chunk_elements;
    std::size_t turn = 0;
  };

  [[nodiscard]] bool updates_whole() const noexcept { return layout_.settings().stage == Stage::none; }
  [[nodiscard]] std::size_t owned_elements(std::size_t b) const noexcept {
    return updates_whole() ? layout_.buckets()[b].elements : layout_.slice_elements(b);
  }
  [[nodiscard]] std::size_t owned_offset(std::size_t b) const noexcept {
    std::size_t const begin = layout_.buckets()[b].begin;
    return updates_whole() ? begin : begin / layout_.settings().world;
  }
  [[nodiscard]] std::size_t largest_owned() const noexcept {
    std::size_t largest = 0;
    for (std::size_t b = 0; b < layout_.trainable_buckets(); ++b) largest = std::max(largest, owned_elements(b));
    return largest;
  }

  void cut_into_chunks(std::size_t b, std::size_t rank) {
    auto const pieces = updates_whole() ? layout_.buckets()[b].pieces : layout_.slice_pieces(b, rank);
    std::size_t const owned = owned_elements(b);
    std::size_t step = owned;
    if constexpr (Offload::offloads) step = staging_->chunk_elements;
    for (std::size_t begin = 0; begin < owned; begin += step) {
      std::size_t const end = std::min(owned, begin + step);
      chunks_.push_back({b, begin, end - begin, end == owned, FlatLayout::clip_pieces(pieces, begin, end)});
    }
  }

  [[nodiscard]] T* value(UpdateChunk const& chunk) const noexcept {
    if constexpr (!has_master) return nullptr;
    return (updates_whole() ? gatherer_.whole_bucket(chunk.bucket) : gatherer_.slice(chunk.bucket)) + chunk.begin;
  }

  [[nodiscard]] UpdateArguments<Rule, T, Sum> arguments(UpdateChunk const& chunk, T* value) const noexcept {
    UpdateArguments<Rule, T, Sum> arguments{};
    arguments.master = master(chunk.bucket) + chunk.begin;
    arguments.value = value;
    arguments.gradient = reducer_.sum(chunk.bucket) + chunk.begin;
    for (std::size_t k = 0; k < Rule::state_count; ++k) arguments.states[k] = state(k, chunk.bucket) + chunk.begin;
    return arguments;
  }

  // Chunk k is updated while chunk k-1 is copied to the device and the bucket before travels between ranks.
  void update_offloaded(UpdateChunk const& chunk, Decision<Rule> const* decision) {
    auto& staging = *staging_;
    auto& slot = staging.chunks[staging.turn++ % staging.chunks.size()];
    auto const host = staging.host.get();
    auto const to_device = staging.to_device.get();
    backend_.wait(host, slot.copied);
    backend_.template update_on_host<Rule, T, Sum>(chunk.pieces, arguments(chunk, slot.values.data()), decision, host);
    backend_.record(slot.updated, host);
    backend_.wait(to_device, slot.updated);
    backend_.copy(value(chunk), slot.values.data(), chunk.count * sizeof(T), to_device);
    backend_.record(slot.copied, to_device);
    backend_.record(updated_[chunk.bucket], to_device);
  }

  Backend& backend_;
  FlatLayout const& layout_;
  Gatherer& gatherer_;
  Reducer& reducer_;
  Stream communication_;
  Buffer<float, Backend> master_;
  std::array<Buffer<float, Backend>, Rule::state_count> states_;
  std::optional<Staging> staging_;
  std::vector<UpdateChunk> chunks_;
  std::vector<Event> updated_;
};

}  // namespace zero
