// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "cuda/device_array.hpp"
#include "cuda/runs.hpp"
#include "engine/trainer.hpp"

#include <zero/engine.cuh>

#include <cub/device/device_for.cuh>

#include <cstddef>
#include <span>
#include <vector>

namespace cuda_test {

/// Calls f(i) for every i < n on \p stream. Neither allocates nor waits, so that it can be captured.
template <class F>
void for_each(std::size_t n, F const& f, zero::CudaStream stream, char const* name) {
  zero::check_cuda(cub::DeviceFor::Bulk(n, f, stream.handle()), name);
}

[[nodiscard]] inline int device_of(int rank) {
  int count = 0;
  zero::check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  return rank % count;
}

/// The trainer's own work on streams of a device.
class OnDevice {
 public:
  template <class T>
  using Array = DeviceArray<T>;

  template <class Communicator>
  OnDevice(Communicator& communicator, int streams) : device_(device_of(communicator.rank())) {
    zero::check_cuda(cudaSetDevice(device_), "cudaSetDevice");
    streams_.resize(static_cast<std::size_t>(streams));
    for (auto& stream : streams_) {
      zero::check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    }
  }
  ~OnDevice() {
    for (auto stream : streams_) (void)cudaStreamDestroy(stream);
  }

  template <class Config>
  void configure(Config& config, engine_test::Run const& run) {
    config.backend = {.device = device_, .host_threads = run.threads};
  }
  [[nodiscard]] zero::CudaStream stream(std::size_t k) const { return {streams_[k % streams_.size()], device_}; }
  template <class F>
  void launch(zero::CudaStream stream, char const* name, std::vector<engine_test::Touched> const& /*touched*/,
              std::size_t n, F const& f) {
    for_each(n, f, stream, name);
  }
  template <class T>
  void look_at(zero::CudaStream /*stream*/, std::span<T const> /*values*/) {}
  template <class T>
  [[nodiscard]] std::vector<T> fetch(zero::CudaStream stream, std::span<T const> values) {
    std::vector<T> fetched(values.size());
    stream.copy(fetched.data(), values.data(), values.size_bytes());
    zero::check_cuda(cudaStreamSynchronize(stream.handle()), "cudaStreamSynchronize");
    return fetched;
  }

 private:
  int device_;
  std::vector<cudaStream_t> streams_;
};

/// Runs one engine type on all ranks.
template <class Partition, class Opt, class Prec>
engine_test::Result train_on(engine_test::Run const& run) {
  std::vector<engine_test::Result> results(static_cast<std::size_t>(run.world));
  zero::run_ranks(run.world, [&](zero::ThreadCommunicator& communicator) {
    using Engine = zero::Engine<Partition, Opt, Prec, zero::CudaBackend, zero::ThreadCommunicator>;
    zero::check_cuda(cudaSetDevice(device_of(communicator.rank())), "cudaSetDevice");
    results[static_cast<std::size_t>(communicator.rank())] =
        engine_test::Trainer<Engine, zero::ThreadCommunicator, OnDevice>(communicator, run).train();
  });
  return engine_test::merged(std::move(results));
}

template <zero::Stage S, class Prec>
engine_test::Result train_at(engine_test::Run const& run) {
  using Partition = zero::Partitioner<S>;
  return run.offload ? cuda_test::train_on<Partition, zero::Optimizer<zero::AdamW, zero::CpuOffload>, Prec>(run)
                     : cuda_test::train_on<Partition, zero::Optimizer<zero::AdamW>, Prec>(run);
}

template <class Prec>
engine_test::Result train_with(engine_test::Run const& run) {
  switch (run.stage) {
    case zero::Stage::none:
      return cuda_test::train_at<zero::Stage::none, Prec>(run);
    case zero::Stage::optimizer_states:
      return cuda_test::train_at<zero::Stage::optimizer_states, Prec>(run);
    case zero::Stage::gradients:
      return cuda_test::train_at<zero::Stage::gradients, Prec>(run);
    default:
      return cuda_test::train_at<zero::Stage::parameters, Prec>(run);
  }
}

}  // namespace cuda_test
