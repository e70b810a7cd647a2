// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

namespace zero::detail {

/// Whether what \p event was recorded after has run; null: it was never recorded, and has passed. Does not block.
/// \throws CudaError, also for an earlier operation that failed on the device.
[[nodiscard]] inline bool has_passed(cudaEvent_t event) {
  if (event == nullptr) return true;
  auto const code = cudaEventQuery(event);
  if (code == cudaErrorNotReady) {
    (void)cudaGetLastError();  // no error: the next call must not tell it
    return false;
  }
  check_cuda(code, "cudaEventQuery");
  return true;
}

}  // namespace zero::detail
