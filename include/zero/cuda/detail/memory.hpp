// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/collective_memory.hpp>
#include <zero/cuda/device.hpp>
#include <zero/cuda/device_resource.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/owned_stream.hpp>
#include <zero/memory/allocation_counter.hpp>
#include <zero/memory/buffer.hpp>
#include <zero/memory/host_memory.hpp>

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace zero::detail {

/// The memory that one backend has handed out: of its device, pinned and pageable, and which allocator each block goes
/// back to.
class CudaMemory {
 public:
  static constexpr std::size_t alignment = 256;  ///< of device and pinned memory, and what its size is rounded up to

  /// Of \p device, which exists. Device memory comes from \p resource, or from cudaMalloc without one. \throws
  /// CudaError.
  CudaMemory(int device, DeviceResource resource)
      : device_(device), resource_(std::move(resource)), setup_(CudaOwnedStream::make(device)) {}

  /// Zero-filled. Blocks. \throws CudaError; std::bad_alloc for pageable memory.
  [[nodiscard]] MemoryBlock allocate(MemoryKind kind, MemoryPurpose purpose, std::size_t bytes) {
    if (kind == MemoryKind::pageable) {
      auto const block = HostMemory::allocate(bytes);
      pageable_.push_back(block);
      use_.add(kind, block.bytes);
      return block;
    }
    DeviceGuard const guard(device_);
    MemoryBlock block{nullptr, (bytes + alignment - 1) / alignment * alignment};
    if (kind == MemoryKind::device) {
      allocate_on_device(block, purpose);
    } else {
      check_cuda(cudaHostAlloc(&block.data, block.bytes, cudaHostAllocPortable), "cudaHostAlloc");
      std::memset(block.data, 0, block.bytes);
    }
    use_.add(kind, block.bytes);
    return block;
  }
  /// Gives back what `allocate` has handed out. Nothing may use it any more.
  void deallocate(MemoryKind kind, MemoryBlock block) noexcept {
    use_.remove(kind, block.bytes);
    if (kind == MemoryKind::pageable) {
      std::erase_if(pageable_, [&](MemoryBlock const& other) { return other.data == block.data; });
      return HostMemory::deallocate(block);
    }
    if (kind == MemoryKind::device) return free_on_device(block);
    (void)cudaFreeHost(block.data);
  }
  /// Device memory that collectives use comes from \p memory, from here to `close_collective`, which says what.
  void allocate_for_collectives_from(CollectiveMemory memory) noexcept { collective_ = std::move(memory); }
  [[nodiscard]] std::span<MemoryBlock const> close_collective() noexcept { return collective_.close(); }

  [[nodiscard]] MemoryUse const& use() const noexcept { return use_; }
  /// Whether \p data lies in pageable memory that was handed out.
  [[nodiscard]] bool is_pageable(void const* data) const noexcept {
    std::less<> const before;
    return std::any_of(pageable_.begin(), pageable_.end(), [&](MemoryBlock const& block) {
      return !before(data, block.data) && before(data, static_cast<std::byte const*>(block.data) + block.bytes);
    });
  }

  /// Pins the caller's host memory until the owner that is returned goes. \throws CudaError.
  [[nodiscard]] std::shared_ptr<void> pin(std::span<std::byte> memory) const {
    DeviceGuard const guard(device_);
    check_cuda(cudaHostRegister(memory.data(), memory.size(), cudaHostRegisterPortable), "cudaHostRegister");
    return {memory.data(), [](void* data) { (void)cudaHostUnregister(data); }};
  }

 private:
  // On the current device.
  void allocate_on_device(MemoryBlock& block, MemoryPurpose purpose) {
    auto const stream = setup_.get().handle();
    if (collective_.serves(purpose)) {
      block.data = collective_.allocate(block.bytes);
    } else if (resource_) {
      block.data = resource_.allocate(block.bytes, alignment, stream);
    } else {
      check_cuda(cudaMalloc(&block.data, block.bytes), "cudaMalloc");
    }
    try {
      setup_.get().zero(block.data, block.bytes);
      check_cuda(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    } catch (...) {
      free_on_device(block);
      throw;
    }
  }
  void free_on_device(MemoryBlock const& block) noexcept {
    if (collective_.deallocate(block.data)) return;
    if (!resource_) return (void)cudaFree(block.data);
    int before = device_;
    (void)cudaGetDevice(&before);
    if (before != device_) (void)cudaSetDevice(device_);
    resource_.deallocate(block.data, block.bytes, setup_.get().handle());
    if (before != device_) (void)cudaSetDevice(before);
  }

  int device_;
  DeviceResource resource_;
  CollectiveMemory collective_;
  CudaOwnedStream setup_;
  std::vector<MemoryBlock> pageable_;
  MemoryUse use_;
};

}  // namespace zero::detail
