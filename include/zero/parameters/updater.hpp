// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/engine/observation.hpp>
#include <zero/gradients/reducer.hpp>
#include <zero/layout/segment_table.hpp>
#include <zero/offload.hpp>
#include <zero/parameters/gatherer.hpp>
#include <zero/parameters/state_array.hpp>
#include <zero/profile/phase.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace zero::detail {

/// Part of a bucket that one update works on: what this rank owns of it, or a chunk of that with offload.
struct UpdateChunk {
  std::size_t bucket = 0;
  std::size_t begin = 0;  ///< elements from the start of what this rank owns of the bucket
  std::size_t count = 0;
  bool on_host = false;
  bool ends_memory_kind = false;  ///< the bucket's last chunk on the device, or on the host
  bool ends_bucket = false;
};

/// Owns the fp32 states: the rule's, and master parameters where the compute type is narrower or the states are
/// offloaded. Runs the fused update, bucket after bucket; each bucket's new parameters travel while the next is
/// updated.
template <class Backend>
class ParameterUpdater {
 public:
  using Stream = typename Backend::Stream;
  using Event = typename Backend::Event;

  ZERO_OUT_OF_LINE ParameterUpdater(EngineContext<Backend> const& engine, ParameterGatherer<Backend>& gatherer,
                                    GradientReducer<Backend>& reducer, CpuOffload::Config const& offload)
      : engine_(engine),
        gatherer_(gatherer),
        reducer_(reducer),
        states_(traits().state_count),
        at_(traits().state_count),
        updated_(engine.layout.trainable_buckets()),
        delays_(engine.host_elements() > 0 && offload.delayed_update) {
    if (traits().has_master()) master_ = {engine, MemoryPurpose::master};
    for (auto& state : states_) state = {engine, MemoryPurpose::optimizer_states};
    if (engine.host_elements() > 0) staging_.emplace(engine, offload);
    std::size_t count = 0;
    for (std::size_t b = 0; b < updated_.size(); ++b) {
      for (std::size_t begin = 0; begin < engine.owned_elements(b); begin = end_of_chunk(b, begin)) ++count;
    }
    chunks_ = FixedArray<UpdateChunk>(count);
    count = 0;
    for (std::size_t b = 0; b < updated_.size(); ++b) count = cut_into_chunks(b, count);
    segments_.upload(engine.backend, engine.memory_report, engine.communication);
  }

  /// Updates every bucket and publishes it. Ends with the communication stream behind the last update; a delayed one
  /// only starts, once the one before it is published.
  void update(void const* decision, Stream stream) {
    if (delays_) return start_delayed_update(decision, stream);
    if (staging_) {
      // The one host wait of an offloaded step: without the decision, copies to the device would have to be undone.
      engine_.backend.synchronize(stream);
      engine_.backend.host_reads(decision, traits().decision_bytes);
      if (!engine_.policies.applies(decision)) return;
      reducer_.join(staging_->host.get());
    }
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      auto const& chunk = chunks_[i];
      if (chunk.on_host) {
        update_offloaded(i, decision);
      } else {
        update_chunk(i, traits().has_master() ? value(chunk) : nullptr, decision, stream);
        engine_.backend.record(updated_[chunk.bucket], stream);
      }
      all_gather_behind(chunk);
    }
  }

  /// Publishes a pending delayed update. \p stream must be the only remaining reader of the old parameters.
  void finish(Stream stream) {
    if (!has_pending_update_) return;
    has_pending_update_ = false;
    auto& staging = *staging_;
    engine_.backend.record(staging.may_publish, stream);
    engine_.backend.wait(staging.to_device.get(), staging.may_publish);
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      auto const& chunk = chunks_[i];
      auto& slot = take_slot();
      engine_.kernels.narrow_on_host(engine_.backend, slot.values.at(0), master(chunk.bucket, chunk.begin), chunk.count,
                                     staging.host.get());
      send(chunk, slot);
      all_gather_behind(chunk);
    }
  }
  /// Whether a delayed update has started and has not been published.
  [[nodiscard]] bool has_pending_update() const noexcept { return has_pending_update_; }
  /// Says by parameter which set of constants is its own. No update is under way.
  void set_constants(std::vector<std::uint32_t> const& set_of) {
    segments_.set_groups(engine_.backend, engine_.communication, set_of);
  }
  /// \p stream waits until states and masters are those of the last step.
  void join(Stream stream) {
    if (has_pending_update_) engine_.backend.wait(stream, staging_->pending);
  }

  /// Of what this rank owns of a bucket's fp32 parameters (the whole bucket at stage 0, else its slice) element
  /// \p offset. Neighbours up to where the device's share ends.
  [[nodiscard]] ZERO_OUT_OF_LINE float* master(std::size_t b, std::size_t offset) const noexcept {
    if (traits().has_master()) return master_.at(engine_.owned_offset(b) + offset);
    return reinterpret_cast<float*>(owned_values(b)) + offset;
  }
  /// The same of the rule's \p k-th state.
  [[nodiscard]] float* state(std::size_t k, std::size_t b, std::size_t offset) const noexcept {
    return states_[k].at(engine_.owned_offset(b) + offset);
  }

 private:
  struct Staging {
    struct Chunk {
      ElementBuffer<Backend> values;
      Event updated{};
      Event copied{};
    };
    Staging(EngineContext<Backend> const& engine, CpuOffload::Config const& config)
        : host(engine.backend.make_stream("update on host")),
          to_device(engine.backend.make_stream("parameters to device")),
          chunks(config.staging_chunks) {
      if (auto const* const observation = engine.observation) {
        observation->name_stream(host.get(), "update on host");
        observation->name_stream(to_device.get(), "parameters to device");
      }
      chunk_elements = (std::min)(CpuOffload::chunk_elements(config, engine.layout.settings().alignment_elements),
                                  engine.largest_owned());
      for (auto& chunk : chunks) {
        chunk.values = {engine, ElementRole::value, MemoryKind::pinned, MemoryPurpose::staging, chunk_elements};
      }
    }
    typename Backend::OwnedStream host;
    typename Backend::OwnedStream to_device;
    FixedArray<Chunk> chunks;
    Event decided{};      // of a delayed update: what it starts behind,
    Event pending{};      // its end,
    Event may_publish{};  // and the end of those who read the parameters before it
    std::size_t chunk_elements;
    std::size_t turn = 0;
  };

  [[nodiscard]] PolicyTraits const& traits() const noexcept { return engine_.policies.traits(); }
  [[nodiscard]] std::size_t end_of_chunk(std::size_t b, std::size_t begin) const noexcept {
    std::size_t const rest = engine_.owned_elements(b) - begin;
    std::size_t const on_device = engine_.offload_split.split(engine_.owned_offset(b) + begin, rest).on_device;
    return begin + (on_device > 0 ? on_device : (std::min)(rest, staging_->chunk_elements));
  }
  // Returns the number of the chunk after the last one.
  std::size_t cut_into_chunks(std::size_t b, std::size_t chunk) {
    std::size_t const owned = engine_.owned_elements(b);
    std::size_t const from = engine_.owns_whole() ? 0 : engine_.rank * owned;
    for (std::size_t begin = 0, end = 0; begin < owned; begin = end) {
      end = end_of_chunk(b, begin);
      bool const on_host = !engine_.offload_split.holds(engine_.owned_offset(b) + begin);
      chunks_[chunk++] = {b, begin, end - begin, on_host, !on_host || end == owned, end == owned};
      segments_.add(engine_.layout.buckets()[b], from + begin, from + end);
    }
    return chunk;
  }

  [[nodiscard]] std::byte* owned_values(std::size_t b) const noexcept {
    return engine_.owns_whole() ? gatherer_.whole_bucket(b) : gatherer_.slice(b);
  }
  [[nodiscard]] std::byte* value(UpdateChunk const& chunk) const noexcept {
    return owned_values(chunk.bucket) + chunk.begin * engine_.policies.bytes(ElementRole::value);
  }

  void update_chunk(std::size_t i, void* value, void const* decision, Stream stream) {
    auto const& chunk = chunks_[i];
    for (std::size_t k = 0; k < at_.size(); ++k) at_[k] = state(k, chunk.bucket, chunk.begin);
    engine_.kernels.update(engine_.backend, segments_[i],
                           {.master = master(chunk.bucket, chunk.begin),
                            .value = value,
                            .gradient = reducer_.sum(chunk.bucket, chunk.begin),
                            .states = at_.begin(),
                            .decision = decision},
                           chunk.on_host, stream);
  }

  // Chunk k is updated while chunk k-1 is copied to the device and the bucket before travels between ranks.
  void update_offloaded(std::size_t i, void const* decision) {
    auto& slot = take_slot();
    update_chunk(i, slot.values.at(0), decision, staging_->host.get());
    send(chunks_[i], slot);
  }
  // Parameters in the compute type follow from their masters when they are published, a skipped step's, too.
  void start_delayed_update(void const* decision, Stream stream) {
    finish(stream);
    auto& staging = *staging_;
    auto const host = staging.host.get();
    engine_.backend.record(staging.decided, stream);
    engine_.backend.wait(host, staging.decided);
    engine_.backend.wait(engine_.communication, staging.decided);  // the next step's norm takes the place of this one's
    reducer_.join(host);
    for (std::size_t i = 0; i < chunks_.size(); ++i) update_chunk(i, nullptr, decision, host);
    engine_.backend.record(staging.pending, host);
    has_pending_update_ = true;
  }

  [[nodiscard]] typename Staging::Chunk& take_slot() {
    auto& slot = staging_->chunks[staging_->turn++ % staging_->chunks.size()];
    engine_.backend.wait(staging_->host.get(), slot.copied);
    return slot;
  }
  void send(UpdateChunk const& chunk, typename Staging::Chunk& slot) {
    auto const host = staging_->host.get();
    auto const to_device = staging_->to_device.get();
    engine_.backend.record(slot.updated, host);
    engine_.backend.wait(to_device, slot.updated);
    {
      OperationScope const scope(engine_.observation, profile::Phase::offload, "copy", to_device);
      (engine_.backend.copy)(value(chunk), slot.values.at(0), chunk.count * slot.values.element_bytes(), to_device);
    }
    engine_.backend.record(slot.copied, to_device);
    engine_.backend.record(updated_[chunk.bucket], to_device);
  }
  void all_gather_behind(UpdateChunk const& chunk) {
    if (chunk.ends_memory_kind) engine_.backend.wait(engine_.communication, updated_[chunk.bucket]);
    if (chunk.ends_bucket) gatherer_.all_gather_updated(chunk.bucket, !engine_.owns_whole());
  }

  EngineContext<Backend> const& engine_;
  ParameterGatherer<Backend>& gatherer_;
  GradientReducer<Backend>& reducer_;
  StateArray<Backend> master_;
  FixedArray<StateArray<Backend>> states_;
  FixedArray<float*> at_;  // where the states of the chunk begin that is being updated
  std::optional<Staging> staging_;
  FixedArray<UpdateChunk> chunks_;
  SegmentTable<Backend> segments_;  // by chunk
  FixedArray<Event> updated_;
  bool delays_;
  bool has_pending_update_ = false;  // the last step's update is not published
};

}  // namespace zero::detail
