// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What tensors on a GPU need, besides zero's component cuda.

#include <zero/support/requirements.hpp>

#include <zero/adapters/dlpack.hpp>
#include <zero/backends/cuda.hpp>
#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

namespace zero::dlpack {

/// The GPU that the backend works on.
template <>
struct BackendDevice<CudaBackend> {
  /// Its ordinal.
  [[nodiscard]] static Device of(CudaBackend const& backend) noexcept { return cuda(backend.device()); }
};

/// Where \p data lies, as the CUDA runtime knows it: memory of a GPU, managed, pinned, or of the host alone. For
/// ShareOptions::device. \throws CudaError.
[[nodiscard]] inline Device device_of(void const* data) {
  cudaPointerAttributes attributes{};
  check_cuda(cudaPointerGetAttributes(&attributes, data), "cudaPointerGetAttributes");
  if (attributes.type == cudaMemoryTypeDevice) return cuda(attributes.device);
  if (attributes.type == cudaMemoryTypeManaged) return cuda_managed();
  return attributes.type == cudaMemoryTypeHost ? cuda_host() : host();
}

}  // namespace zero::dlpack
