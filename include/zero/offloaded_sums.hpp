// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>
#include <zero/buffer.hpp>
#include <zero/flat_layout.hpp>
#include <zero/offload.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace zero {

/// Keeps offloaded gradient sums in pageable host memory and lends device memory for the reduction of one bucket after
/// another: host to device before a sum goes on, device to host after it, through pinned chunks, on streams of its own.
template <class Sum, class Backend>
class OffloadedSums {
 public:
  using Stream = typename Backend::Stream;

  /// \p home holds the sums in pageable memory; \p largest is the most elements that one bucket needs.
  OffloadedSums(Backend& backend, MemoryReport& books, Sum* home, std::size_t largest, CpuOffload::Config const& config)
      : backend_(backend),
        home_(home),
        chunk_(std::min(config.chunk_elements, largest)),
        to_device_(backend.make_stream("sums to device")),
        to_host_(backend.make_stream("sums to host")),
        slots_(2),
        staging_(config.staging_chunks) {
    for (auto& slot : slots_) {
      slot.sums = {backend, books, MemoryKind::device, MemoryPurpose::staging, largest};
    }
    for (auto& chunk : staging_) {
      chunk.down = {backend, books, MemoryKind::pinned, MemoryPurpose::staging, chunk_};
      chunk.up = {backend, books, MemoryKind::pinned, MemoryPurpose::staging, chunk_};
    }
  }

  /// Device memory for the sum of one bucket. Where \p fetch, \p count elements from home + \p begin are brought to
  /// \p offset in it before \p stream goes on.
  [[nodiscard]] Sum* acquire(std::size_t begin, std::size_t count, std::size_t offset, bool fetch, Stream stream) {
    auto& slot = slots_[next_];
    backend_.wait(to_device_.get(), slot.stored);
    if (fetch) {
      backend_.wait(to_device_.get(), all_stored_);  // the sum as the last micro-batch left it
      for (std::size_t at = 0; at < count; at += chunk_)
        bring(slot.sums.data() + offset + at, begin + at, std::min(chunk_, count - at));
    }
    backend_.record(slot.fetched, to_device_.get());
    backend_.wait(stream, slot.fetched);
    return slot.sums.data();
  }

  /// Sends \p count elements, from \p offset on, of the memory that was acquired last home to \p begin, once \p stream
  /// has come so far.
  void store(std::size_t begin, std::size_t count, std::size_t offset, Stream stream) {
    auto& slot = slots_[next_];
    next_ = (next_ + 1) % slots_.size();
    backend_.record(slot.reduced, stream);
    backend_.wait(to_host_.get(), slot.reduced);
    for (std::size_t at = 0; at < count; at += chunk_)
      send(slot.sums.data() + offset + at, begin + at, std::min(chunk_, count - at));
    backend_.record(slot.stored, to_host_.get());
    backend_.record(all_stored_, to_host_.get());
  }

  /// \p stream waits until every sum is home.
  void join(Stream stream) { backend_.wait(stream, all_stored_); }

 private:
  struct Slot {
    Buffer<Sum, Backend> sums;
    typename Backend::Event fetched{};
    typename Backend::Event reduced{};
    typename Backend::Event stored{};
  };
  struct Chunk {
    Buffer<Sum, Backend> up;
    Buffer<Sum, Backend> down;
  };

  // Both stages of a chunk are on one stream, so its staging is free again when the next chunk in turn comes to it.
  void bring(Sum* to, std::size_t from, std::size_t count) {
    auto& chunk = staging_[turn_up_++ % staging_.size()];
    backend_.copy_on_host(chunk.up.data(), home_ + from, count * sizeof(Sum), to_device_.get());
    backend_.copy(to, chunk.up.data(), count * sizeof(Sum), to_device_.get());
  }
  void send(Sum const* from, std::size_t to, std::size_t count) {
    auto& chunk = staging_[turn_down_++ % staging_.size()];
    backend_.copy(chunk.down.data(), from, count * sizeof(Sum), to_host_.get());
    backend_.copy_on_host(home_ + to, chunk.down.data(), count * sizeof(Sum), to_host_.get());
  }

  Backend& backend_;
  Sum* home_;
  std::size_t chunk_;
  typename Backend::OwnedStream to_device_;
  typename Backend::OwnedStream to_host_;
  std::vector<Slot> slots_;
  std::vector<Chunk> staging_;
  typename Backend::Event all_stored_{};
  std::size_t next_ = 0;
  std::size_t turn_up_ = 0;
  std::size_t turn_down_ = 0;
};

}  // namespace zero
