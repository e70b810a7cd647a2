// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace zero {

/// Owns elements in the memory of a device, as cudaMalloc gives it: uninitialized, and apart from the memory report of
/// an engine. Move-only. Whoever works on it has ended, or cudaFree waits.
template <class Element>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<Element>,
                "zero::DeviceArray: elements must be trivially copyable: nothing constructs them on a device");

 public:
  DeviceArray() = default;
  /// \p size elements on the calling thread's current device. \throws CudaError.
  explicit DeviceArray(std::size_t size) : size_(size) {
    if (size > 0) check_cuda(cudaMalloc(&data_, size * sizeof(Element)), "cudaMalloc");
  }
  /// The same on \p device.
  DeviceArray(int device, std::size_t size) : DeviceArray(DeviceGuard(device), size) {}
  /// Leaves \p other empty.
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  /// Leaves \p other with what this one had.
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceArray() {
    if (data_ != nullptr) (void)cudaFree(data_);
  }

  /// First element, in device memory; null for none.
  [[nodiscard]] Element* data() const noexcept { return static_cast<Element*>(data_); }
  /// Number of elements.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// Size of all elements in bytes.
  [[nodiscard]] std::size_t bytes() const noexcept { return size_ * sizeof(Element); }

 private:
  DeviceArray(DeviceGuard const& /*current*/, std::size_t size) : DeviceArray(size) {}

  void* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace zero
