// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/memory/buffer.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace zero {

/// Memory of this process for model states.
struct HostMemory {
  static constexpr std::size_t alignment = 64;  ///< of every block, and what its size is rounded up to

  /// Zero-filled and aligned to 64 bytes; large blocks in huge pages where the system gives them.
  [[nodiscard]] static MemoryBlock allocate(std::size_t bytes) {
    std::size_t const rounded = (bytes + alignment - 1) / alignment * alignment;
    void* data = rounded >= huge_page ? map(rounded) : ::operator new (rounded, std::align_val_t{alignment});
    if (rounded < huge_page) std::memset(data, 0, rounded);
    return {data, rounded};
  }
  static void deallocate(MemoryBlock block) noexcept {
    if (block.bytes >= huge_page) {
      ::munmap(block.data, block.bytes);
    } else {
      ::operator delete (block.data, std::align_val_t{alignment});
    }
  }

 private:
  static constexpr std::size_t huge_page = std::size_t{1} << 21;

  static void* map(std::size_t bytes) {
    void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    (void)::madvise(data, bytes, MADV_HUGEPAGE);  // a hint: small pages are slower by 5 to 15 %, not wrong
#endif
    return data;
  }
};

/// What an allocator has handed out, by kind of memory.
class MemoryUse {
 public:
  void add(MemoryKind kind, std::size_t bytes) noexcept {
    auto const k = static_cast<std::size_t>(kind);
    in_use_[k] += bytes;
    peak_[k] = std::max(peak_[k], in_use_[k]);
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

}  // namespace zero
