// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace cuda_test {

/// Owns elements on the current device. Move-only; every call blocks.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::vector<T> const& values) : size_(values.size()) {
    zero::detail::check_cuda(cudaMalloc(&data_, size_ * sizeof(T)), "cudaMalloc");
    zero::detail::check_cuda(cudaMemcpy(data_, values.data(), size_ * sizeof(T), cudaMemcpyDefault), "cudaMemcpy");
  }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_), std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceArray() {
    if (data_ != nullptr) (void)cudaFree(data_);
  }

  [[nodiscard]] T* data() const noexcept { return static_cast<T*>(data_); }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::vector<T> fetch() const {
    std::vector<T> values(size_);
    zero::detail::check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    zero::detail::check_cuda(cudaMemcpy(values.data(), data_, size_ * sizeof(T), cudaMemcpyDefault), "cudaMemcpy");
    return values;
  }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cuda_test
