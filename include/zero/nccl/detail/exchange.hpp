// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/detail/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <span>
#include <utility>

namespace zero::detail {

/// Device memory and a stream for one exchange of the host's bytes where no other way connects the processes.
class ExchangeBuffer {
 public:
  ExchangeBuffer(int device, std::size_t bytes) : device_(device) {
    DeviceGuard const guard(device_);
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    auto const code = cudaMalloc(&data_, bytes);
    if (code == cudaSuccess) return;
    (void)cudaStreamDestroy(stream_);
    check_cuda(code, "cudaMalloc");
  }
  ExchangeBuffer(ExchangeBuffer const&) = delete;
  ExchangeBuffer& operator=(ExchangeBuffer const&) = delete;
  ~ExchangeBuffer() {
    (void)cudaStreamSynchronize(stream_);
    (void)cudaFree(data_);
    (void)cudaStreamDestroy(stream_);
  }

  [[nodiscard]] std::byte* data() const noexcept { return static_cast<std::byte*>(data_); }
  [[nodiscard]] CudaStream stream() const noexcept { return CudaStream(stream_, device_); }
  void put(std::size_t at, std::span<std::byte const> bytes) const {
    stream().copy(data() + at, bytes.data(), bytes.size());
  }
  /// Blocks until it is there.
  void get(std::span<std::byte> bytes) const {
    stream().copy(bytes.data(), data(), bytes.size());
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }

 private:
  int device_;
  cudaStream_t stream_ = nullptr;
  void* data_ = nullptr;
};

}  // namespace zero::detail
