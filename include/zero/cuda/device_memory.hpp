// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/profile/memory.hpp>

#include <cuda_runtime_api.h>

namespace zero {

/// What is left of the memory of \p device, whoever has taken it, and how much it has. \throws CudaError.
[[nodiscard]] inline profile::DeviceMemory device_memory(int device) {
  DeviceGuard const guard(device);
  profile::DeviceMemory memory;
  check_cuda(cudaMemGetInfo(&memory.free, &memory.total), "cudaMemGetInfo");
  return memory;
}

}  // namespace zero
