// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/context.hpp>
#include <zero/engine/element_buffer.hpp>
#include <zero/engine/observation.hpp>
#include <zero/engine/policies.hpp>
#include <zero/memory_report.hpp>
#include <zero/offload.hpp>
#include <zero/profile/phase.hpp>
#include <zero/support/fixed_array.hpp>
#include <zero/support/out_of_line.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

namespace zero::detail {

template <class Backend>
class OffloadedSums;

/// Device memory that the sum of one offloaded bucket is reduced in, lent by OffloadedSums. Move-only. Either `store`
/// is called, or its end gives the memory back, whose contents count for nothing then. Both are ordered after
/// the work on the stream that it was acquired for; neither blocks the host.
template <class Backend>
class [[nodiscard]] SumStagingSlot {
 public:
  using Stream = typename Backend::Stream;
  using Memory = typename OffloadedSums<Backend>::Staging;

  /// \p owner and \p memory are borrowed and must outlive this.
  SumStagingSlot(OffloadedSums<Backend>& owner, Memory& memory, Stream stream) noexcept
      : owner_(&owner), memory_(&memory), stream_(stream) {}
  SumStagingSlot(SumStagingSlot&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), memory_(other.memory_), stream_(other.stream_) {}
  SumStagingSlot& operator=(SumStagingSlot&&) = delete;
  ~SumStagingSlot() {
    if (owner_ != nullptr) owner_->release(*memory_, stream_);
  }

  /// Start of the memory: elements of the sum type, as many as this rank owns of the largest bucket.
  [[nodiscard]] std::byte* address() const noexcept { return memory_->sums.at(0); }

  /// Copies \p count elements from \p offset on to the host sums at \p begin. Ends the use of the memory. After an
  /// error of the backend the engine has failed.
  void store(std::size_t begin, std::size_t count, std::size_t offset) && {
    owner_->fail_with_errors_of([&] { owner_->store(*memory_, begin, count, offset, stream_); });
    owner_ = nullptr;
  }

 private:
  OffloadedSums<Backend>* owner_;  // null: the memory is given back
  Memory* memory_;
  Stream stream_;
};

/// Keeps offloaded gradient sums in pageable host memory and lends device memory for the reduction of one bucket after
/// another: host to device before a sum goes on, device to host after it, through pinned chunks. The host copies one
/// chunk while the next is on the bus: each direction has a stream for either, and events that the chunk owns. Two
/// buckets take turns in the device memory: one is reduced while the one before it is stored. With a delayed update the
/// sums of two steps take turns in two places.
template <class Backend>
class OffloadedSums {
 public:
  using Stream = typename Backend::Stream;
  using Slot = SumStagingSlot<Backend>;

  /// For \p elements of the sums that this rank owns.
  OffloadedSums(EngineContext<Backend> const& engine, CpuOffload::Config const& config, std::size_t elements)
      : engine_(engine),
        host_sums_(config.delayed_update ? 2 : 1),
        chunk_((std::min)(CpuOffload::chunk_elements(config, engine.layout.settings().alignment_elements),
                          engine.largest_owned())),
        host_to_staging_(engine.backend.make_stream("sums to staging")),
        to_device_(engine.backend.make_stream("sums to device")),
        to_host_(engine.backend.make_stream("sums to host")),
        staging_to_host_(engine.backend.make_stream("sums to host")),
        up_(config.staging_chunks),
        down_(config.staging_chunks) {
    if (auto const* const observation = engine.observation) {
      observation->name_stream(host_to_staging_.get(), "sums to staging");
      observation->name_stream(to_device_.get(), "sums to device");
      observation->name_stream(to_host_.get(), "sums to host");
      observation->name_stream(staging_to_host_.get(), "staging to host");
    }
    for (auto& host_sums : host_sums_) {
      host_sums = {engine, ElementRole::sum, MemoryKind::pageable, MemoryPurpose::gradient_sums, elements};
    }
    for (auto& staging : staging_) staging.sums = allocate(MemoryKind::device, engine.largest_owned());
    for (auto* chunks : {&up_, &down_}) {
      for (auto& chunk : *chunks) chunk.elements = allocate(MemoryKind::pinned, chunk_);
    }
  }

  /// This step's sums, in pageable memory.
  [[nodiscard]] ElementBuffer<Backend> const& host_sums() const noexcept {
    return host_sums_[steps_ % host_sums_.size()];
  }
  /// The sums of another step follow. Those of this one stay where they are as long as a delayed update reads them.
  void begin_next_step() noexcept { ++steps_; }

  /// Device memory for the sum of one bucket, for work on \p stream. Where \p fetch, \p count elements of the host sums
  /// from \p begin on are copied to \p offset in it before \p stream goes on. A slot must end before the next but one
  /// is acquired. Does not block the host. After an error of the backend the engine has failed.
  [[nodiscard]] Slot take_slot(std::size_t begin, std::size_t count, std::size_t offset, bool fetch, Stream stream) {
    auto& staging = staging_[next_];
    fail_with_errors_of([&] { prepare(staging, begin, count, offset, fetch, stream); });
    next_ = 1 - next_;
    return {*this, staging, stream};
  }

  /// \p stream waits until every sum is in host memory.
  void join(Stream stream) { engine_.backend.wait(stream, all_stored_); }

 private:
  friend Slot;

  struct Staging {
    ElementBuffer<Backend> sums;
    typename Backend::Event fetched{};
    typename Backend::Event reduced{};
    typename Backend::Event stored{};  // its last use is over
  };
  struct Chunk {
    ElementBuffer<Backend> elements;
    typename Backend::Event filled{};
    typename Backend::Event emptied{};
  };

  // After an error in between nothing orders the next use of a chunk after the copies that are under way.
  template <class Function>
  void fail_with_errors_of(Function&& f) {
    try {
      f();
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
      throw;
    }
  }

  void prepare(Staging& staging, std::size_t begin, std::size_t count, std::size_t offset, bool fetch, Stream stream) {
    auto& backend = engine_.backend;
    backend.wait(to_device_.get(), staging.stored);
    if (fetch) {
      backend.wait(host_to_staging_.get(), all_stored_);  // the sum as the last micro-batch left it
      for (std::size_t at = 0; at < count; at += chunk_)
        bring(staging.sums.at(offset + at), begin + at, (std::min)(chunk_, count - at));
    }
    backend.record(staging.fetched, to_device_.get());
    backend.wait(stream, staging.fetched);
  }

  void store(Staging& staging, std::size_t begin, std::size_t count, std::size_t offset, Stream stream) {
    auto& backend = engine_.backend;
    backend.record(staging.reduced, stream);
    backend.wait(to_host_.get(), staging.reduced);
    for (std::size_t at = 0; at < count; at += chunk_)
      send(staging.sums.at(offset + at), begin + at, (std::min)(chunk_, count - at));
    backend.record(staging.stored, to_host_.get());
    backend.record(all_stored_, staging_to_host_.get());
  }

  ZERO_OUT_OF_LINE void release(Staging& staging, Stream stream) noexcept {
    try {
      engine_.backend.record(staging.stored, stream);
    } catch (...) {
      engine_.phase.record_failure(std::current_exception());
    }
  }

  [[nodiscard]] ElementBuffer<Backend> allocate(MemoryKind kind, std::size_t elements) const {
    return {engine_, ElementRole::sum, kind, MemoryPurpose::staging, elements};
  }

  template <class Copy>
  void watched(Stream stream, Copy const& run) const {
    OperationScope const scope(engine_.observation, profile::Phase::offload, "copy", stream);
    run(stream);
  }

  void bring(void* to, std::size_t from, std::size_t count) {
    auto& chunk = up_[turn_up_++ % up_.size()];
    auto& backend = engine_.backend;
    std::size_t const bytes = count * host_sums().element_bytes();
    backend.wait(host_to_staging_.get(), chunk.emptied);
    watched(host_to_staging_.get(),
            [&](Stream stream) { backend.copy_on_host(chunk.elements.at(0), host_sums().at(from), bytes, stream); });
    backend.record(chunk.filled, host_to_staging_.get());
    backend.wait(to_device_.get(), chunk.filled);
    watched(to_device_.get(), [&](Stream stream) { (backend.copy)(to, chunk.elements.at(0), bytes, stream); });
    backend.record(chunk.emptied, to_device_.get());
  }
  void send(void const* from, std::size_t to, std::size_t count) {
    auto& chunk = down_[turn_down_++ % down_.size()];
    auto& backend = engine_.backend;
    std::size_t const bytes = count * host_sums().element_bytes();
    backend.wait(to_host_.get(), chunk.emptied);
    watched(to_host_.get(), [&](Stream stream) { (backend.copy)(chunk.elements.at(0), from, bytes, stream); });
    backend.record(chunk.filled, to_host_.get());
    backend.wait(staging_to_host_.get(), chunk.filled);
    watched(staging_to_host_.get(),
            [&](Stream stream) { backend.copy_on_host(host_sums().at(to), chunk.elements.at(0), bytes, stream); });
    backend.record(chunk.emptied, staging_to_host_.get());
  }

  EngineContext<Backend> const& engine_;
  FixedArray<ElementBuffer<Backend>> host_sums_;
  std::size_t chunk_;
  typename Backend::OwnedStream host_to_staging_;
  typename Backend::OwnedStream to_device_;
  typename Backend::OwnedStream to_host_;
  typename Backend::OwnedStream staging_to_host_;
  Staging staging_[2];
  FixedArray<Chunk> up_;
  FixedArray<Chunk> down_;
  typename Backend::Event all_stored_{};
  std::size_t steps_ = 0;
  std::size_t next_ = 0;  // whose turn it is in the device memory
  std::size_t turn_up_ = 0;
  std::size_t turn_down_ = 0;
};

}  // namespace zero::detail
