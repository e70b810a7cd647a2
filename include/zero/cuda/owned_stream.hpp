// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime_api.h>

#include <utility>

namespace zero {

/// Owns a stream of a device, and destroys it. Move-only.
class CudaOwnedStream {
 public:
  /// Takes what `make` has made.
  explicit CudaOwnedStream(CudaStream stream) noexcept : stream_(stream) {}
  /// Leaves \p other without a stream.
  CudaOwnedStream(CudaOwnedStream&& other) noexcept : stream_(std::exchange(other.stream_, CudaStream())) {}
  CudaOwnedStream& operator=(CudaOwnedStream&&) = delete;
  ~CudaOwnedStream() {
    if (stream_.handle() != nullptr) (void)cudaStreamDestroy(stream_.handle());
  }

  /// A stream of \p device, which goes first where work competes: what the engine does is waited for. \throws
  /// CudaError.
  [[nodiscard]] static CudaOwnedStream make(int device) {
    DeviceGuard const guard(device);
    int least = 0, greatest = 0;
    check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, greatest), "cudaStreamCreateWithPriority");
    return CudaOwnedStream(CudaStream(stream, device));
  }

  /// The stream; valid as long as its owner.
  [[nodiscard]] CudaStream get() const noexcept { return stream_; }

 private:
  CudaStream stream_;
};

}  // namespace zero
