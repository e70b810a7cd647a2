// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace zero {

/// Where bytes lie. On the host backend all three are ordinary memory, accounted apart.
enum class MemoryKind : std::uint8_t {
  device,    ///< what kernels read and write
  pinned,    ///< host memory that copies to and from the device may use asynchronously: staging only
  pageable,  ///< host memory in huge pages: offloaded states
};
inline constexpr std::size_t memory_kinds = 3;

/// What bytes are for.
enum class MemoryPurpose : std::uint8_t {
  parameters,        ///< in the compute type: whole, or this rank's shard at stage 3
  gathered,          ///< gathered parameters of stage 3, the live bound
  gradients,         ///< in the compute type: whole at stages 0 and 1, the ring of buckets at stages 2 and 3
  gradient_slots,    ///< gradients that cannot share the ring: larger than a bucket, or with several contributions
  gradient_sums,     ///< reduced gradients in the sum type
  local_sums,        ///< this rank's sums over micro-batches, with `Reduce::once_per_step`
  master,            ///< fp32 parameters beside a narrower or offloaded copy
  optimizer_states,  ///< the rule's states in fp32
  staging,           ///< offload's chunks, and what a communicator receives before it is added
  control,           ///< norm, decision, settings and reports of steps: a few kilobytes; and 32 bytes for each piece
};
inline constexpr std::size_t memory_purposes = 10;

[[nodiscard]] constexpr std::string_view name(MemoryKind kind) noexcept {
  constexpr std::array<std::string_view, memory_kinds> names{"device", "pinned", "pageable"};
  return names[static_cast<std::size_t>(kind)];
}

[[nodiscard]] constexpr std::string_view name(MemoryPurpose purpose) noexcept {
  constexpr std::array<std::string_view, memory_purposes> names{
      "parameters", "gathered", "gradients", "gradient slots", "gradient sums",
      "local sums", "master",   "states",    "staging",        "control"};
  return names[static_cast<std::size_t>(purpose)];
}

/// Bytes of one engine on one rank, by kind and purpose: what every byte is for. Its totals equal what the backend's
/// allocator handed out.
class MemoryReport {
 public:
  [[nodiscard]] std::size_t bytes(MemoryKind kind, MemoryPurpose purpose) const noexcept { return at(kind, purpose); }
  [[nodiscard]] std::size_t bytes(MemoryKind kind) const noexcept {
    std::size_t sum = 0;
    for (std::size_t p = 0; p < memory_purposes; ++p) sum += at(kind, static_cast<MemoryPurpose>(p));
    return sum;
  }
  [[nodiscard]] std::size_t bytes(MemoryPurpose purpose) const noexcept {
    std::size_t sum = 0;
    for (std::size_t k = 0; k < memory_kinds; ++k) sum += at(static_cast<MemoryKind>(k), purpose);
    return sum;
  }
  [[nodiscard]] std::size_t total() const noexcept {
    std::size_t sum = 0;
    for (auto const& row : bytes_) {
      for (auto entry : row) sum += entry;
    }
    return sum;
  }
  [[nodiscard]] std::size_t& at(MemoryKind kind, MemoryPurpose purpose) noexcept {
    return bytes_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(purpose)];
  }
  [[nodiscard]] std::size_t at(MemoryKind kind, MemoryPurpose purpose) const noexcept {
    return bytes_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(purpose)];
  }

 private:
  std::array<std::array<std::size_t, memory_purposes>, memory_kinds> bytes_{};
};

/// What a backend's allocator hands out: an address and the bytes that it takes, which may be rounded up.
struct MemoryBlock {
  void* data = nullptr;
  std::size_t bytes = 0;
};

namespace detail {

/// Owns memory of one kind and its entry in the engine's books, for elements of any type. Move-only.
template <class Backend>
class AccountedMemory {
 public:
  AccountedMemory() = default;
  [[gnu::noinline]] AccountedMemory(Backend& backend, MemoryReport& books, MemoryKind kind, MemoryPurpose purpose,
                                    std::size_t count, std::size_t element_bytes)
      : entry_{&backend, &books, kind, purpose, count, {}} {
    if (count == 0) return;
    if (count > SIZE_MAX / element_bytes) {
      fail<ConfigurationError>({"zero::Buffer: size overflows: register fewer elements"});
    }
    entry_.block = backend.allocate(kind, purpose, count * element_bytes);
    books.at(kind, purpose) += entry_.block.bytes;
  }
  AccountedMemory(AccountedMemory&& other) noexcept { swap(other); }
  AccountedMemory& operator=(AccountedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AccountedMemory() {
    if (entry_.block.data != nullptr) give_back();
  }

  [[nodiscard]] void* data() const noexcept { return entry_.block.data; }
  [[nodiscard]] std::size_t count() const noexcept { return entry_.count; }

 private:
  struct Entry {
    Backend* backend = nullptr;
    MemoryReport* books = nullptr;
    MemoryKind kind = MemoryKind::device;
    MemoryPurpose purpose = MemoryPurpose::control;
    std::size_t count = 0;
    MemoryBlock block{};
  };

  // Out of line: a constructor that throws gives back whatever it has, at every place at which it may.
  [[gnu::noinline]] void give_back() noexcept {
    entry_.books->at(entry_.kind, entry_.purpose) -= entry_.block.bytes;
    entry_.backend->deallocate(entry_.kind, entry_.block);
  }
  [[gnu::noinline]] void swap(AccountedMemory& other) noexcept { std::swap(entry_, other.entry_); }

  Entry entry_;
};

}  // namespace detail

/// Owns \p T's in one kind of a backend's memory, zero-filled, and keeps the engine's books while it lives. Move-only.
template <class T, class Backend>
class Buffer {
 public:
  Buffer() = default;
  /// Allocates \p count elements (none for 0). \p backend and \p books must outlive the buffer.
  /// \throws whatever the backend's allocator throws; nothing is entered into the books then.
  Buffer(Backend& backend, MemoryReport& books, MemoryKind kind, MemoryPurpose purpose, std::size_t count)
      : memory_(backend, books, kind, purpose, count, sizeof(T)) {}

  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(memory_.data()); }
  [[nodiscard]] std::size_t size() const noexcept { return memory_.count(); }
  [[nodiscard]] std::span<T> span() const noexcept { return {data(), size()}; }

 private:
  detail::AccountedMemory<Backend> memory_;
};

}  // namespace zero
