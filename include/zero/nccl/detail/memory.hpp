// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/call_site.hpp>
#include <zero/collective_memory.hpp>
#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstddef>

namespace zero::detail {

/// Memory that NCCL can register.
[[nodiscard]] inline CollectiveMemory nccl_memory() noexcept {
#if NCCL_VERSION_CODE >= NCCL_VERSION(2, 19, 0)
  auto const allocate = [](void* /*owner*/, std::size_t bytes) {
    void* data = nullptr;
    auto const code = ncclMemAlloc(&data, bytes);
    check_cuda(code == ncclSuccess ? cudaSuccess : cudaErrorMemoryAllocation, "ncclMemAlloc", CallSite::current());
    return data;
  };
  return {allocate, [](void* /*owner*/, void* data) noexcept { (void)ncclMemFree(data); }};
#else
  return {};  // nothing can be registered, and register_buffers says so
#endif
}

}  // namespace zero::detail
