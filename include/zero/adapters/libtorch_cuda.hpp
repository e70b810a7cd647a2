// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What DataParallel needs for modules on a GPU, besides zero's component cuda and a torch with CUDA.

#include <zero/support/requirements.hpp>

#include <zero/adapters/libtorch.hpp>
#include <zero/backends/cuda.hpp>

#include <c10/cuda/CUDAStream.h>

namespace zero::libtorch::detail {

/// Work goes to torch's current stream of the device that the module is on, on whichever thread that is asked: hooks
/// run on threads of autograd's, with the streams of forward.
template <>
struct TorchDevice<CudaBackend> {
  static constexpr bool has_host_memory = false;
  static constexpr char const* name = "CudaBackend works on a GPU";
  static constexpr char const* remedy = "call module.to(torch::kCUDA) before, or choose zero::HostBackend";
  [[nodiscard]] static bool owns(::at::Device device) noexcept { return device.is_cuda(); }
  [[nodiscard]] static CudaBackend::Stream current_stream(::at::Device device) {
    return CudaBackend::Stream(::c10::cuda::getCurrentCUDAStream(device.index()).stream());
  }
};

}  // namespace zero::libtorch::detail
