// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/cuda/device.hpp>
#include <zero/cuda/error.hpp>
#include <zero/cuda/stream.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace zero::detail {

/// What the host does in the order of a stream; the argument of `cudaLaunchHostFunc`.
struct HostTask {
  struct Range {
    void const* data = nullptr;
    std::size_t bytes = 0;
    bool writes = false;
  };
  std::mutex& mutex;
  std::function<void()> run;
  std::vector<Range> touches;  ///< as operations declare it to whoever checks their order
};

/// Tasks of the host on streams of one device. The runtime calls host functions from a thread of its own, one after
/// another for each stream; those of two streams may meet, and share the threads of one host backend, so one runs at a
/// time. Must outlive what it was given.
class HostTasks {
 public:
  explicit HostTasks(int device) noexcept : device_(device) {}

  /// Puts \p f, which touches the bytes of \p touches, on \p stream. \throws CudaError.
  void put(CudaStream stream, std::vector<HostTask::Range> touches, std::function<void()> f) {
    auto task = std::make_unique<HostTask>(HostTask{mutex_, std::move(f), std::move(touches)});
    auto const call = [](void* argument) {
      std::unique_ptr<HostTask> const owned(static_cast<HostTask*>(argument));
      std::lock_guard const lock(owned->mutex);
      owned->run();
    };
    DeviceGuard const guard(device_);
    check_cuda(cudaLaunchHostFunc(stream.handle(), call, task.get()), "cudaLaunchHostFunc");
    (void)task.release();
  }

 private:
  int device_;
  std::mutex mutex_;
};

}  // namespace zero::detail
