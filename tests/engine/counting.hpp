// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace engine_test {

/// Counts what goes through a communicator, apart from the engine's own books.
template <class Inner>
class CountingCommunicator {
 public:
  explicit CountingCommunicator(Inner& inner) : inner_(inner) {}

  [[nodiscard]] int rank() const { return inner_.rank(); }
  [[nodiscard]] int size() const { return inner_.size(); }
  [[nodiscard]] int local_size() const { return inner_.local_size(); }

  template <class Sum, class T>
  void reduce_scatter_add(T const* send, Sum* into, std::size_t count, zero::SumRange range,
                          zero::CollectivePurpose purpose, zero::HostStream stream) {
    enter(count);
    inner_.reduce_scatter_add(send, into, count, range, purpose, stream);
  }
  template <class T>
  void all_gather(T const* own, T* full, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    enter(count);
    inner_.all_gather(own, full, count, purpose, stream);
  }
  void all_reduce(std::uint64_t* words, std::size_t count, zero::CollectivePurpose purpose, zero::HostStream stream) {
    ++collectives;
    inner_.all_reduce(words, count, purpose, stream);
  }
  void exchange(std::span<std::byte const> mine, std::span<std::byte> all) { inner_.exchange(mine, all); }

  std::uint64_t elements = 0;     ///< sent by this rank to others
  std::uint64_t collectives = 0;  ///< on buffers

 private:
  void enter(std::size_t count) {
    elements += count * (static_cast<std::size_t>(size()) - 1);
    ++collectives;
  }
  Inner& inner_;
};

/// Bytes that all backends of the process have handed out and not taken back, by kind.
inline std::array<std::atomic<std::size_t>, zero::memory_kinds> bytes_at_large{};

/// A host backend whose allocations can be seen after it is gone.
class CountingBackend : public zero::HostBackend {
 public:
  using zero::HostBackend::HostBackend;
  [[nodiscard]] zero::MemoryBlock allocate(zero::MemoryKind kind, zero::MemoryPurpose purpose, std::size_t bytes) {
    auto const block = zero::HostBackend::allocate(kind, purpose, bytes);
    bytes_at_large[static_cast<std::size_t>(kind)] += block.bytes;
    return block;
  }
  void deallocate(zero::MemoryKind kind, zero::MemoryBlock block) noexcept {
    bytes_at_large[static_cast<std::size_t>(kind)] -= block.bytes;
    zero::HostBackend::deallocate(kind, block);
  }
};

}  // namespace engine_test
