// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "../engines.hpp"
#include "../options.hpp"
#include "../thread_ranks.hpp"
#include "device.hpp"
#include "model.hpp"

#include <zero/backends/cuda.hpp>
#include <zero/cuda/device_memory.hpp>
#include <zero/cuda/nvtx.hpp>
#include <zero/engine.hpp>  // what replays a recorded step

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace gpt2 {

namespace device {

extern template class DeviceModel<float, CudaDevice>;
extern template class DeviceModel<zero::bfloat16, CudaDevice>;
extern template class DeviceModel<zero::float16, CudaDevice>;

/// A rank's model on its GPU, whatever its communicator.
template <class T>
class CudaCompute {
 public:
  CudaCompute(Options const& options, ModelShape const& shape, int ordinal)
      : host_threads_(options.threads),
        device_(ordinal),
        model_(shape, options.batch, device_, kept(options), activation_settings(options)) {}

  [[nodiscard]] DeviceModel<T, CudaDevice>& model() noexcept { return model_; }
  [[nodiscard]] DeviceModel<T, CudaDevice> const& model() const noexcept { return model_; }
  void head_forward(HeadWeights<T> const& weights, std::span<Token const> targets) {
    model_.head_forward(weights, targets);
  }
  /// Reads the scale on the device, without waiting for it.
  template <class LossScale>
  void head_backward(LossScale const& scale, HeadWeights<T> const& weights, HeadGradients<T> const& gradients) {
    model_.head_backward(scale.data(), weights, gradients);
  }
  [[nodiscard]] std::vector<double> take_losses() { return model_.take_losses(); }
  [[nodiscard]] zero::profile::DeviceMemory device_memory() const {
    return zero::device_memory(device_.stream().device());
  }
  [[nodiscard]] zero::profile::NvtxRanges& ranges() noexcept { return ranges_; }
  [[nodiscard]] zero::CudaStream stream() const noexcept { return device_.stream(); }
  [[nodiscard]] zero::CudaBackend::Config backend_config() const {
    return {.device = device_.stream().device(), .host_threads = host_threads_};
  }

 private:
  /// Micro-batches whose input the model keeps: all of a step that is recorded.
  static std::size_t kept(Options const& options) {
    return options.cuda_graph ? std::max<std::size_t>(2, micro_batch_rounds(options)) : 2;
  }

  int host_threads_;
  zero::profile::NvtxRanges ranges_;
  CudaDevice device_;
  DeviceModel<T, CudaDevice> model_;
};

}  // namespace device

/// Ranks that compute on this machine's GPUs, as threads of this process: rank r on GPU r modulo their number.
struct CudaTarget : ThreadRanks {
  using Backend = zero::CudaBackend;

  template <class T>
  class Compute : public device::CudaCompute<T> {
   public:
    Compute(Options const& options, ModelShape const& shape, Communicator const& communicator)
        : device::CudaCompute<T>(options, shape, communicator.rank() % device::gpu_count()) {}
  };
};

}  // namespace gpt2
