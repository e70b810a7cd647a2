// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/memory_report.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace zero::detail {

/// What an allocator has handed out, by kind of memory.
class MemoryUse {
 public:
  void add(MemoryKind kind, std::size_t bytes) noexcept {
    auto const k = static_cast<std::size_t>(kind);
    in_use_[k] += bytes;
    peak_[k] = (std::max)(peak_[k], in_use_[k]);
    ++allocations_;
  }
  void remove(MemoryKind kind, std::size_t bytes) noexcept { in_use_[static_cast<std::size_t>(kind)] -= bytes; }

  [[nodiscard]] std::size_t in_use(MemoryKind kind) const noexcept { return in_use_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::size_t peak(MemoryKind kind) const noexcept { return peak_[static_cast<std::size_t>(kind)]; }
  [[nodiscard]] std::uint64_t allocations() const noexcept { return allocations_; }

 private:
  std::array<std::size_t, memory_kinds> in_use_{};
  std::array<std::size_t, memory_kinds> peak_{};
  std::uint64_t allocations_ = 0;
};

}  // namespace zero::detail
