// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

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
  control,           ///< norm, decision, settings and reports of steps: a few kilobytes; and 32 bytes for each segment
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
  /// Bytes of one kind and purpose.
  [[nodiscard]] std::size_t bytes(MemoryKind kind, MemoryPurpose purpose) const noexcept { return at(kind, purpose); }
  /// Bytes of one kind, for all purposes.
  [[nodiscard]] std::size_t bytes(MemoryKind kind) const noexcept {
    std::size_t sum = 0;
    for (std::size_t p = 0; p < memory_purposes; ++p) sum += at(kind, static_cast<MemoryPurpose>(p));
    return sum;
  }
  /// Bytes for one purpose, of all kinds.
  [[nodiscard]] std::size_t bytes(MemoryPurpose purpose) const noexcept {
    std::size_t sum = 0;
    for (std::size_t k = 0; k < memory_kinds; ++k) sum += at(static_cast<MemoryKind>(k), purpose);
    return sum;
  }
  /// All bytes.
  [[nodiscard]] std::size_t total() const noexcept {
    std::size_t sum = 0;
    for (auto const& row : bytes_) {
      for (auto entry : row) sum += entry;
    }
    return sum;
  }
  /// The entry of one kind and purpose; for owners of memory.
  [[nodiscard]] std::size_t& at(MemoryKind kind, MemoryPurpose purpose) noexcept {
    return bytes_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(purpose)];
  }
  /// The entry of one kind and purpose.
  [[nodiscard]] std::size_t at(MemoryKind kind, MemoryPurpose purpose) const noexcept {
    return bytes_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(purpose)];
  }

 private:
  std::array<std::array<std::size_t, memory_purposes>, memory_kinds> bytes_{};
};

}  // namespace zero
