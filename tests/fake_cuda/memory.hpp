// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/simulation/detail/operation.hpp>

#include <cuda_runtime_api.h>

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <new>
#include <stdexcept>
#include <vector>

namespace fake_cuda {

/// What one allocation is. Pinned memory has a copy of what operations, and the host as far as it was seen, have left
/// in it: where the two differ the host has written since.
struct Block {
  cudaMemoryType kind = cudaMemoryTypeUnregistered;
  std::size_t bytes = 0;
  int device = 0;
  std::vector<std::byte> seen{};
};

/// Device and pinned memory. Device memory is host memory that nobody may touch except while operations run: who does
/// dies of a signal, as a host does that follows a device's pointer.
class Memory {
 public:
  static constexpr std::size_t alignment_elements = 512;
  static constexpr std::size_t capacity = std::size_t{1} << 28;

  Memory() {
    arena_ = ::mmap(nullptr, capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena_ == MAP_FAILED) throw std::bad_alloc();
  }
  Memory(Memory const&) = delete;
  Memory& operator=(Memory const&) = delete;
  ~Memory() {
    for (auto& [at, block] : blocks_) {
      if (block.kind == cudaMemoryTypeHost) free_pinned(at);
    }
    ::munmap(arena_, capacity);
  }

  /// Filled with bytes that make no sense as numbers. Null where there is no room.
  [[nodiscard]] void* allocate(cudaMemoryType kind, std::size_t bytes, int device) {
    void* const data = kind == cudaMemoryTypeDevice ? device_memory(bytes) : pinned_memory(bytes);
    if (data == nullptr) return nullptr;
    auto& block = blocks_[address(data)] = {kind, bytes, device, {}};
    Opened const opened(*this);
    std::memset(data, 0xCD, bytes);
    if (kind == cudaMemoryTypeHost) block.seen.assign(bytes, std::byte{0xCD});
    return data;
  }
  void free(void* data) {
    auto const found = blocks_.find(address(data));
    if (found->second.kind == cudaMemoryTypeHost) free_pinned(found->first);
    blocks_.erase(found);
  }

  /// The block that starts at \p data; null: none does.
  [[nodiscard]] Block* at(void const* data) {
    auto const found = blocks_.find(address(data));
    return found == blocks_.end() ? nullptr : &found->second;
  }
  /// The block in which \p data lies, and where that starts; null: none.
  [[nodiscard]] Block* around(std::uintptr_t data, std::uintptr_t& begin) {
    auto const after = blocks_.upper_bound(data);
    if (after == blocks_.begin()) return nullptr;
    auto& [at, block] = *std::prev(after);
    begin = at;
    return data < at + block.bytes ? &block : nullptr;
  }
  [[nodiscard]] std::size_t bytes_of(cudaMemoryType kind) const {
    std::size_t sum = 0;
    for (auto const& [at, block] : blocks_) sum += block.kind == kind ? block.bytes : 0;
    return sum;
  }
  [[nodiscard]] std::size_t blocks() const noexcept { return blocks_.size(); }

  /// The bytes of \p access that the host has written since they were last seen, in pinned memory.
  [[nodiscard]] std::vector<zero::simulation::Access> host_writes(zero::simulation::Access const& access) {
    std::vector<zero::simulation::Access> all;
    std::uintptr_t begin = 0;
    auto* const block = around(access.begin, begin);
    if (block == nullptr || block->kind != cudaMemoryTypeHost) return all;
    auto const* const now = reinterpret_cast<std::byte const*>(begin);
    std::size_t const end = std::min<std::size_t>(access.end() - begin, block->bytes);
    for (std::size_t i = access.begin - begin; i < end; ++i) {
      if (now[i] == block->seen[i]) continue;
      if (all.empty() || all.back().end() != begin + i) all.push_back({begin + i, 0, true});
      ++all.back().bytes;
      block->seen[i] = now[i];
    }
    return all;
  }
  void see(zero::simulation::Access const& access) {
    std::uintptr_t begin = 0;
    auto* const block = around(access.begin, begin);
    if (block == nullptr || block->kind != cudaMemoryTypeHost) return;
    std::size_t const offset = access.begin - begin, bytes = std::min(access.bytes, block->bytes - offset);
    std::memcpy(block->seen.data() + offset, reinterpret_cast<void const*>(access.begin), bytes);
  }

  /// While it lives operations may touch device memory.
  class Opened {
   public:
    explicit Opened(Memory& memory) : memory_(memory) {
      if (memory_.openers_++ == 0) memory_.protect(PROT_READ | PROT_WRITE);
    }
    Opened(Opened const&) = delete;
    Opened& operator=(Opened const&) = delete;
    ~Opened() {
      if (--memory_.openers_ == 0) memory_.protect(PROT_NONE);
    }

   private:
    Memory& memory_;
  };

 private:
  [[nodiscard]] static std::uintptr_t address(void const* data) noexcept {
    return reinterpret_cast<std::uintptr_t>(data);
  }

  // First fit.
  [[nodiscard]] void* device_memory(std::size_t bytes) {
    auto at = address(arena_);
    for (auto const& [begin, block] : blocks_) {
      if (block.kind != cudaMemoryTypeDevice) continue;
      if (begin >= at + bytes) break;
      at = (begin + block.bytes + alignment_elements - 1) / alignment_elements * alignment_elements;
    }
    if (at + bytes > address(arena_) + capacity) return nullptr;
    top_ = std::max(top_, at + bytes - address(arena_));
    if (openers_ > 0) protect(PROT_READ | PROT_WRITE);
    return reinterpret_cast<void*>(at);
  }
  [[nodiscard]] static void* pinned_memory(std::size_t bytes) {
    return ::operator new (bytes, std::align_val_t{alignment_elements});
  }
  static void free_pinned(std::uintptr_t at) {
    ::operator delete (reinterpret_cast<void*>(at), std::align_val_t{alignment_elements});
  }
  void protect(int rights) {
    if (top_ == 0) return;
    if (::mprotect(arena_, (top_ + 4095) / 4096 * 4096, rights) != 0) throw std::runtime_error("mprotect failed");
  }

  void* arena_ = nullptr;
  std::size_t top_ = 0;
  int openers_ = 0;
  std::map<std::uintptr_t, Block> blocks_;
};

}  // namespace fake_cuda
