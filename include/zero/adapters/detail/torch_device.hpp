// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/backends/host.hpp>
#include <zero/error.hpp>
#include <zero/precision.hpp>

#include <torch/torch.h>

#include <type_traits>

namespace zero::libtorch::detail {

/// What torch and a backend call the same things. <zero/adapters/libtorch_cuda.hpp> has that of CudaBackend.
template <class Backend>
struct TorchDevice;

template <>
struct TorchDevice<HostBackend> {
  static constexpr bool has_host_memory = true;
  static constexpr char const* name = "HostBackend works in host memory";
  static constexpr char const* remedy = "call module.to(torch::kCPU) before, or choose zero::CudaBackend";
  [[nodiscard]] static bool owns(::at::Device device) noexcept { return device.is_cpu(); }
  [[nodiscard]] static HostBackend::Stream current_stream(::at::Device /*device*/) noexcept { return {}; }
};

template <class Element>
inline constexpr ::at::ScalarType scalar_type = std::is_same_v<Element, float>      ? ::at::kFloat
                                                : std::is_same_v<Element, bfloat16> ? ::at::kBFloat16
                                                                                    : ::at::kHalf;

/// Refuses ranks that would wait for each other in hooks that one thread runs.
inline void check_ranks(bool host_memory, bool ranks_are_threads, int ranks) {
  zero::detail::enforce(
      host_memory || !ranks_are_threads || ranks == 1,
      "zero::libtorch: on CUDA, autograd runs the hooks of a device on one thread, in which ranks that "
      "are threads would wait for each other for ever: run one process per GPU, with "
      "zero::NcclCommunicator");
}

}  // namespace zero::libtorch::detail
