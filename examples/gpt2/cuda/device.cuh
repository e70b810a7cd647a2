// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "device.hpp"
#include "thread_block.hpp"

#include <zero/kernels/launch.cuh>

#include <cub/block/block_reduce.cuh>

#include <climits>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace gpt2::device {

/// The threads of a block, as kernels see them (thread_block.hpp).
class DeviceTeam {
 public:
  template <class F>
  __device__ void for_each(std::uint32_t n, F&& f) const {
    for (std::uint32_t i = threadIdx.x; i < n; i += block_threads) f(i);
  }
  template <class F>
  __device__ auto sum(std::uint32_t n, F&& f) const {
    using V = decltype(f(0U));
    return reduce<V>(n, f, V{}, [](V a, V b) { return a + b; });
  }
  template <class F>
  __device__ float maximum(std::uint32_t n, F&& f) const {
    return reduce<float>(n, f, -INFINITY, [](float a, float b) { return fmaxf(a, b); });
  }
  template <class F>
  __device__ void on_one_thread(F&& f) const {
    if (threadIdx.x == 0) f();
  }

 private:
  // Thread 0 has the result only after every thread has come to the reduction, and so after all have read `all` of the
  // one before. The last barrier is also what CUB asks for before its storage is used again.
  template <class V, class F, class Combine>
  static __device__ V reduce(std::uint32_t n, F& f, V own, Combine combine) {
    using Reduction = cub::BlockReduce<V, block_threads, cub::BLOCK_REDUCE_WARP_REDUCTIONS>;
    __shared__ typename Reduction::TempStorage storage;
    __shared__ V all;
    for (std::uint32_t i = threadIdx.x; i < n; i += block_threads) own = combine(own, f(i));
    V const total = Reduction(storage).Reduce(own, combine);
    if (threadIdx.x == 0) all = total;
    __syncthreads();
    return all;
  }
};

template <class Kernel>
ZERO_KERNEL(block_threads)
run_task(Kernel const kernel) {
  kernel(DeviceTeam(), blockIdx.x);
}

template <class Kernel>
void CudaDevice::run(Kernel const& kernel, std::size_t tasks) {
  if (tasks > INT_MAX) throw std::length_error("gpt2: more rows than a GPU takes at once: use a smaller --batch");
  zero::kernels::launch(run_task<Kernel>, tasks, kernel, stream_, "a kernel of GPT-2", block_threads);
}

}  // namespace gpt2::device
