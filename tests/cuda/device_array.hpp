// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/device_array.hpp>
#include <zero/cuda/error.hpp>

#include <cuda_runtime_api.h>

#include <vector>

namespace cuda_test {

/// Elements on the current device that come from the host and go back there; both block.
template <class T>
class DeviceArray : public zero::DeviceArray<T> {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::vector<T> const& values) : zero::DeviceArray<T>(values.size()) {
    zero::check_cuda(cudaMemcpy(this->data(), values.data(), this->bytes(), cudaMemcpyDefault), "cudaMemcpy");
  }
  [[nodiscard]] std::vector<T> fetch() const {
    std::vector<T> values(this->size());
    zero::check_cuda(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    zero::check_cuda(cudaMemcpy(values.data(), this->data(), this->bytes(), cudaMemcpyDefault), "cudaMemcpy");
    return values;
  }
};

}  // namespace cuda_test
