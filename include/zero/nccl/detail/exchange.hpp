// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/device.hpp>
#include <zero/cuda/device_array.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <span>

namespace zero::detail {

/// Device memory and a stream for one exchange of the host's bytes where no other way connects the processes.
class ExchangeBuffer {
 public:
  ExchangeBuffer(int device, std::size_t bytes) : device_(device), memory_(device, bytes) {
    DeviceGuard const guard(device_);
    check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  ExchangeBuffer(ExchangeBuffer const&) = delete;
  ExchangeBuffer& operator=(ExchangeBuffer const&) = delete;
  ~ExchangeBuffer() {
    (void)cudaStreamSynchronize(stream_);
    (void)cudaStreamDestroy(stream_);
  }

  [[nodiscard]] std::byte* data() const noexcept { return memory_.data(); }
  [[nodiscard]] CudaStream stream() const noexcept { return CudaStream(stream_, device_); }
  void put(std::size_t at, std::span<std::byte const> bytes) const {
    (stream().copy)(data() + at, bytes.data(), bytes.size());
  }
  /// Blocks until it is there.
  void get(std::span<std::byte> bytes) const {
    (stream().copy)(bytes.data(), data(), bytes.size());
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }

 private:
  int device_;
  DeviceArray<std::byte> memory_;
  cudaStream_t stream_ = nullptr;
};

}  // namespace zero::detail
