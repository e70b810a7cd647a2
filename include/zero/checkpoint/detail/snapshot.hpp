// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/checkpoint/detail/shard_plan.hpp>
#include <zero/checkpoint/save.hpp>
#include <zero/engine_state.hpp>
#include <zero/memory/host_memory.hpp>
#include <zero/precision.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace zero::detail {

/// A copy of what one rank saves, so that the engine may go on. Its memory lies in huge pages where the system gives
/// them, pinned where the engine's backend is a device's, and is kept for the next copy: touching memory for the first
/// time takes ten times as long as to fill it.
class Snapshot {
 public:
  Snapshot() = default;
  Snapshot(Snapshot const&) = delete;
  Snapshot& operator=(Snapshot const&) = delete;
  ~Snapshot() { release(); }

  /// Sets memory aside for copies of \p bytes of \p state, and touches it. \throws std::bad_alloc, or what the backend
  /// throws where it cannot be pinned; what was copied is gone then.
  void reserve(EngineState& state, std::size_t bytes) {
    if (bytes <= memory_.size()) return;
    map(state, bytes);
    constexpr std::size_t page = 4096;  // or more
    for (std::size_t at = 0; at < bytes; at += page) memory_[at] = std::byte{};
  }

  /// Copies the ranges of \p plans, which are borrowed until the next call, as fast as the engine's backend copies.
  /// \throws as `reserve`; what was copied before is gone then.
  void take(EngineState& state, std::vector<ShardPlan> const& plans) {
    offset_of_.clear();
    std::size_t bytes = 0;
    for (auto const& plan : plans) {
      for (auto const& range : plan.ranges) offset_of_[&range] = std::exchange(bytes, bytes + range.bytes());
    }
    if (bytes > memory_.size()) map(state, bytes);
    for (auto const& plan : plans) {
      for (auto const& range : plan.ranges) {
        state.read(range, 0, memory_.subspan(offset_of_.at(&range), static_cast<std::size_t>(range.bytes())));
      }
    }
  }

  /// Gives the elements back. Valid as long as this.
  [[nodiscard]] RangeSource source() const {
    return [this](StateRange const& range, std::uint64_t first, std::span<std::byte> into) {
      std::memcpy(into.data(), memory_.data() + offset_of_.at(&range) + first * element_size(range.type), into.size());
    };
  }

 private:
  void map(EngineState& state, std::size_t bytes) {
    release();
    // Pages that no other memory shares: a page is pinned once.
    block_ = HostMemory::allocate((std::max)(bytes, HostMemory::huge_page));
    memory_ = {static_cast<std::byte*>(block_.data), bytes};
    pinned_ = state.pin(memory_);
  }
  void release() noexcept {
    pinned_.reset();
    if (block_.data != nullptr) HostMemory::deallocate(block_);
    block_ = {};
    memory_ = {};
  }

  MemoryBlock block_{};
  std::span<std::byte> memory_;
  std::shared_ptr<void> pinned_;                                  // as long as the memory
  std::unordered_map<StateRange const*, std::size_t> offset_of_;  // in the memory, by range of the plans
};

}  // namespace zero::detail
