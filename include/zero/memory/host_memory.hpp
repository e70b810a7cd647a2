// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backend.hpp>

#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>

namespace zero::detail {

/// Memory of this process for model states.
struct HostMemory {
  static constexpr std::size_t alignment = 64;  ///< of every block, and what its size is rounded up to
  /// From this size on a block has pages of its own.
  static constexpr std::size_t huge_page = std::size_t{1} << 21;

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
  static void* map(std::size_t bytes) {
    void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (data == MAP_FAILED) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    (void)::madvise(data, bytes, MADV_HUGEPAGE);  // a hint: small pages are slower by 5 to 15 %, not wrong
#endif
    return data;
  }
};

}  // namespace zero::detail
