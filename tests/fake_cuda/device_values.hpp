// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace fake_cuda {

/// Device memory of a program, with its first values.
template <class T>
class DeviceValues {
 public:
  DeviceValues() = default;
  explicit DeviceValues(std::vector<T> const& values) : bytes_(values.size() * sizeof(T)) {
    zero::check_cuda(cudaMalloc(&data_, bytes_), "cudaMalloc");
    auto const code = cudaMemcpy(data_, values.data(), bytes_, cudaMemcpyHostToDevice);
    if (code != cudaSuccess) (void)cudaFree(data_);
    zero::check_cuda(code, "cudaMemcpy");
  }
  DeviceValues(DeviceValues&& other) noexcept { std::swap(data_, other.data_), std::swap(bytes_, other.bytes_); }
  DeviceValues& operator=(DeviceValues&& other) noexcept {
    std::swap(data_, other.data_), std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~DeviceValues() {
    if (data_ != nullptr) (void)cudaFree(data_);
  }
  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(data_); }
  [[nodiscard]] std::span<T> span() const noexcept { return {data(), bytes_ / sizeof(T)}; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A copy for the host, which knows that what is there is there.
template <class T>
[[nodiscard]] std::vector<T> fetch(T const* values, std::size_t n) {
  std::vector<T> fetched(n);
  zero::check_cuda(cudaMemcpy(fetched.data(), values, n * sizeof(T), cudaMemcpyDeviceToHost), "cudaMemcpy");
  return fetched;
}

}  // namespace fake_cuda
