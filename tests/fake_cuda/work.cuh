// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/trainer.hpp"
#include "fake_cuda/device_values.hpp"
#include "fake_cuda/machine.hpp"

#include <zero/engine.cuh>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace fake_cuda {

/// The trainer's own work, as kernels of its own on streams of its own.
class OnCudaStreams {
 public:
  template <class T>
  using Array = DeviceValues<T>;

  template <class Communicator>
  OnCudaStreams(Communicator& communicator, int streams, int device = 0)
      : owner_({.device = device_of(communicator, device), .host_threads = 1}, 1) {
    for (int k = 0; k < streams; ++k) streams_.push_back(owner_.make_stream("compute"));
  }

  template <class Config>
  void configure(Config& config, engine_test::Run const& run) {
    config.backend = {.device = owner_.device(), .host_threads = run.threads};
  }
  [[nodiscard]] zero::CudaStream stream(std::size_t k) const { return streams_[k % streams_.size()].get(); }
  /// A kernel that calls `f(i)` for every i below \p n.
  template <class F>
  void launch(zero::CudaStream stream, char const* name, std::vector<engine_test::Touched> const& touched,
              std::size_t n, F f) {
    std::vector<zero::simulation::Access> accesses;
    for (auto const& t : touched) {
      accesses.push_back(t.writes ? zero::simulation::writes(t.data, t.bytes)
                                  : zero::simulation::reads(t.data, t.bytes));
    }
    auto const kernel = [n, f] {
      for (std::size_t i = 0; i < n; ++i) f(i);
    };
    zero::check_cuda(fake_cuda::launch(stream.handle(), name, std::move(accesses), kernel), name);
  }
  template <class T>
  void look_at(zero::CudaStream stream, std::span<T const> values) {
    launch(stream, "forward", {engine_test::reads(values)}, 0, [](std::size_t) {});
  }
  template <class T>
  [[nodiscard]] std::vector<T> fetch(zero::CudaStream stream, std::span<T const> values) {
    std::vector<T> fetched(values.size());
    stream.copy(fetched.data(), values.data(), values.size_bytes());
    owner_.synchronize(stream);
    return fetched;
  }

 private:
  template <class Communicator>
  [[nodiscard]] static int device_of(Communicator const& communicator, int otherwise) {
    if constexpr (requires { communicator.device(); }) return communicator.device();
    return otherwise;
  }

  zero::CudaBackend owner_;
  std::vector<zero::CudaBackend::OwnedStream> streams_;
};

}  // namespace fake_cuda
