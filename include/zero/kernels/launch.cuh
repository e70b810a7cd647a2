// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#ifndef __CUDACC__
#error "zero: headers that end in .cuh launch kernels: include them in a .cu file, and compile that with nvcc"
#endif

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

// Kernels are hidden, and live in an inline namespace that says what they were compiled for: of two shared libraries in
// one process, each has its own (a merged one would launch nothing on a GPU that only the other was built for).
// __CUDA_ARCH_LIST__ is a list with commas.
#define ZERO_ARCH_1(a) sm_##a
#define ZERO_ARCH_2(a, b) sm_##a##_##b
#define ZERO_ARCH_3(a, b, c) sm_##a##_##b##_##c
#define ZERO_ARCH_4(a, b, c, d) sm_##a##_##b##_##c##_##d
#define ZERO_ARCH_5(a, b, c, d, e) sm_##a##_##b##_##c##_##d##_##e
#define ZERO_ARCH_6(a, b, c, d, e, f) sm_##a##_##b##_##c##_##d##_##e##_##f
#define ZERO_ARCH_7(a, b, c, d, e, f, g) sm_##a##_##b##_##c##_##d##_##e##_##f##_##g
#define ZERO_ARCH_8(a, b, c, d, e, f, g, h) sm_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h
#define ZERO_ARCH_9(a, b, c, d, e, f, g, h, ...) sm_##a##_##b##_##c##_##d##_##e##_##f##_##g##_##h##_and_more
#define ZERO_ARCH_PICK(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, name, ...) name
#define ZERO_ARCH_OF(...)                                                                                   \
  ZERO_ARCH_PICK(__VA_ARGS__, ZERO_ARCH_9, ZERO_ARCH_9, ZERO_ARCH_9, ZERO_ARCH_9, ZERO_ARCH_9, ZERO_ARCH_9, \
                 ZERO_ARCH_9, ZERO_ARCH_9, ZERO_ARCH_8, ZERO_ARCH_7, ZERO_ARCH_6, ZERO_ARCH_5, ZERO_ARCH_4, \
                 ZERO_ARCH_3, ZERO_ARCH_2, ZERO_ARCH_1)                                                     \
  (__VA_ARGS__)
#define ZERO_KERNELS_NAMESPACE ZERO_ARCH_OF(__CUDA_ARCH_LIST__)

#define ZERO_KERNEL(threads) __global__ __launch_bounds__(threads) __attribute__((visibility("hidden"))) void

namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels {

/// Threads of every block, and norm blocks that a block takes at a time.
inline constexpr unsigned block_threads = 256;
inline constexpr unsigned warp_size = 32;
inline constexpr unsigned block_warps = block_threads / warp_size;

/// Puts `kernel<<<blocks, block_threads>>>(parameters)` on \p stream. \p name is for errors.
template <class Parameters>
void launch(void (*kernel)(Parameters), std::size_t blocks, Parameters const& parameters, CudaStream stream,
            char const* name, unsigned threads = block_threads) {
  if (blocks == 0) return;
  zero::DeviceGuard const guard(stream.device());
  void* arguments[] = {const_cast<Parameters*>(&parameters)};
  zero::check_cuda(cudaLaunchKernel(reinterpret_cast<void const*>(kernel), dim3(static_cast<unsigned>(blocks)),
                                    dim3(threads), arguments, 0, stream.handle()),
                   name);
}

[[nodiscard]] constexpr std::size_t divide_up(std::size_t n, std::size_t by) { return (n + by - 1) / by; }

}  // namespace zero::inline ZERO_KERNELS_NAMESPACE::kernels
