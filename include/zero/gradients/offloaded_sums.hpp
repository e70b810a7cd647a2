// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/memory/element_buffer.hpp>
#include <zero/offload.hpp>
#include <zero/support/fixed_array.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// Keeps offloaded gradient sums in pageable host memory and lends device memory for the reduction of one bucket after
/// another: host to device before a sum goes on, device to host after it, through pinned chunks. The host copies one
/// chunk while the next is on the bus: each direction has a stream for either, and events that the chunk owns. With a
/// delayed update the sums of two steps take turns in two places.
template <class Backend>
class OffloadedSums {
 public:
  using Stream = typename Backend::Stream;

  /// For \p elements of the sums that this rank owns.
  OffloadedSums(EngineContext<Backend> const& engine, CpuOffload::Config const& config, std::size_t elements)
      : engine_(engine),
        host_sums_(config.delayed_update ? 2 : 1),
        chunk_(std::min(CpuOffload::chunk_elements(config, engine.layout.settings().alignment_elements),
                        engine.largest_owned())),
        host_to_staging_(engine.backend.make_stream("sums to staging")),
        to_device_(engine.backend.make_stream("sums to device")),
        to_host_(engine.backend.make_stream("sums to host")),
        staging_to_host_(engine.backend.make_stream("sums to host")),
        up_(config.staging_chunks),
        down_(config.staging_chunks) {
    for (auto& host_sums : host_sums_) {
      host_sums = {engine, ElementRole::sum, MemoryKind::pageable, MemoryPurpose::gradient_sums, elements};
    }
    for (auto& slot : slots_) slot.sums = allocate(MemoryKind::device, engine.largest_owned());
    for (auto* chunks : {&up_, &down_}) {
      for (auto& chunk : *chunks) chunk.elements = allocate(MemoryKind::pinned, chunk_);
    }
  }

  /// This step's sums at home, in pageable memory.
  [[nodiscard]] ElementBuffer<Backend> const& host_sums() const noexcept {
    return host_sums_[steps_ % host_sums_.size()];
  }
  /// The sums of another step follow. Those of this one stay where they are as long as a delayed update reads them.
  void begin_next_step() noexcept { ++steps_; }

  /// Device memory for the sum of one bucket. Where \p fetch, \p count elements from home + \p begin are brought to
  /// \p offset in it before \p stream goes on.
  [[nodiscard]] std::byte* acquire(std::size_t begin, std::size_t count, std::size_t offset, bool fetch,
                                   Stream stream) {
    auto& slot = slots_[next_];
    auto& backend = engine_.backend;
    backend.wait(to_device_.get(), slot.stored);
    if (fetch) {
      backend.wait(host_to_staging_.get(), all_stored_);  // the sum as the last micro-batch left it
      for (std::size_t at = 0; at < count; at += chunk_)
        bring(slot.sums.at(offset + at), begin + at, std::min(chunk_, count - at));
    }
    backend.record(slot.fetched, to_device_.get());
    backend.wait(stream, slot.fetched);
    return slot.sums.at(0);
  }

  /// Sends \p count elements, from \p offset on, of the memory that was acquired last home to \p begin, once \p stream
  /// has come so far.
  void store(std::size_t begin, std::size_t count, std::size_t offset, Stream stream) {
    auto& slot = slots_[next_];
    auto& backend = engine_.backend;
    next_ = 1 - next_;
    backend.record(slot.reduced, stream);
    backend.wait(to_host_.get(), slot.reduced);
    for (std::size_t at = 0; at < count; at += chunk_)
      send(slot.sums.at(offset + at), begin + at, std::min(chunk_, count - at));
    backend.record(slot.stored, to_host_.get());
    backend.record(all_stored_, staging_to_host_.get());
  }

  /// Ends the use of the memory that was acquired last, whose contents have not changed, once \p stream has come so
  /// far.
  void give_back(Stream stream) {
    auto& slot = slots_[next_];
    next_ = 1 - next_;
    engine_.backend.record(slot.stored, stream);
  }

  /// \p stream waits until every sum is home.
  void join(Stream stream) { engine_.backend.wait(stream, all_stored_); }

 private:
  struct Slot {
    ElementBuffer<Backend> sums;
    typename Backend::Event fetched{};
    typename Backend::Event reduced{};
    typename Backend::Event stored{};
  };
  struct Chunk {
    ElementBuffer<Backend> elements;
    typename Backend::Event filled{};
    typename Backend::Event emptied{};
  };

  [[nodiscard]] ElementBuffer<Backend> allocate(MemoryKind kind, std::size_t elements) const {
    return {engine_, ElementRole::sum, kind, MemoryPurpose::staging, elements};
  }

  void bring(void* to, std::size_t from, std::size_t count) {
    auto& chunk = up_[turn_up_++ % up_.size()];
    auto& backend = engine_.backend;
    std::size_t const bytes = count * host_sums().element_bytes();
    backend.wait(host_to_staging_.get(), chunk.emptied);
    backend.copy_on_host(chunk.elements.at(0), host_sums().at(from), bytes, host_to_staging_.get());
    backend.record(chunk.filled, host_to_staging_.get());
    backend.wait(to_device_.get(), chunk.filled);
    backend.copy(to, chunk.elements.at(0), bytes, to_device_.get());
    backend.record(chunk.emptied, to_device_.get());
  }
  void send(void const* from, std::size_t to, std::size_t count) {
    auto& chunk = down_[turn_down_++ % down_.size()];
    auto& backend = engine_.backend;
    std::size_t const bytes = count * host_sums().element_bytes();
    backend.wait(to_host_.get(), chunk.emptied);
    backend.copy(chunk.elements.at(0), from, bytes, to_host_.get());
    backend.record(chunk.filled, to_host_.get());
    backend.wait(staging_to_host_.get(), chunk.filled);
    backend.copy_on_host(host_sums().at(to), chunk.elements.at(0), bytes, staging_to_host_.get());
    backend.record(chunk.emptied, staging_to_host_.get());
  }

  EngineContext<Backend> const& engine_;
  FixedArray<ElementBuffer<Backend>> host_sums_;
  std::size_t chunk_;
  typename Backend::OwnedStream host_to_staging_;
  typename Backend::OwnedStream to_device_;
  typename Backend::OwnedStream to_host_;
  typename Backend::OwnedStream staging_to_host_;
  Slot slots_[2];
  FixedArray<Chunk> up_;
  FixedArray<Chunk> down_;
  typename Backend::Event all_stored_{};
  std::size_t steps_ = 0;
  std::size_t next_ = 0;
  std::size_t turn_up_ = 0;
  std::size_t turn_down_ = 0;
};

}  // namespace zero::detail
