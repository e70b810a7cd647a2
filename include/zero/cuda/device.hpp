// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/cuda/error.hpp>
#include <zero/error.hpp>
#include <zero/support/message.hpp>

#include <cuda_runtime_api.h>

namespace zero {

/// Makes a device the calling thread's current one while it lives. Cheap where it is already.
class DeviceGuard {
 public:
  /// Makes \p device current. \throws CudaError.
  explicit DeviceGuard(int device) {
    check_cuda(cudaGetDevice(&before_), "cudaGetDevice");
    if (before_ == device) return;
    check_cuda(cudaSetDevice(device), "cudaSetDevice");
    changed_ = true;
  }
  DeviceGuard(DeviceGuard const&) = delete;
  DeviceGuard& operator=(DeviceGuard const&) = delete;
  ~DeviceGuard() {
    if (changed_) (void)cudaSetDevice(before_);
  }

 private:
  int before_ = 0;
  bool changed_ = false;
};

/// The calling thread's current device. \throws CudaError.
[[nodiscard]] inline int current_device() {
  int device = 0;
  check_cuda(cudaGetDevice(&device), "cudaGetDevice");
  return device;
}

/// \p device, or the calling thread's current one where that is negative. \throws CudaError without a driver or a GPU,
/// ConfigurationError for an ordinal that this machine does not have.
[[nodiscard]] inline int checked_device(int device) {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  if (device >= count) {
    detail::fail<ConfigurationError>({"zero::CudaBackend: device ", device, " of ", count,
                                      ": ordinals count from 0, among the devices that CUDA_VISIBLE_DEVICES shows"});
  }
  return device < 0 ? current_device() : device;
}

}  // namespace zero
