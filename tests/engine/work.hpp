// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a trainer does itself, between the engine's calls: on a host backend here; tests of devices and of the simulator
// have a class of their own in AtOnce's place.

#include "engine/runs.hpp"

#include <zero/engine.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace engine_test {

/// Bytes that the trainer's own work touches.
struct Touched {
  void const* data = nullptr;
  std::size_t bytes = 0;
  bool writes = false;
};
template <class T>
[[nodiscard]] Touched reads(std::span<T> values) {
  return {values.data(), values.size_bytes(), false};
}
template <class T>
[[nodiscard]] Touched writes(std::span<T> values) {
  return {values.data(), values.size_bytes(), true};
}

/// One contribution to a parameter's gradient: what its backward pass does to element \p i. On a device, too.
template <class Compute>
struct Backward {
  Compute const* values;
  float const* scale;
  Compute* target;
  bool adds;
  std::uint64_t step, k;
  std::size_t parameter;
  int contribution;
  std::size_t bad;  ///< the element that is infinite; SIZE_MAX: none

  ZERO_HOST_DEVICE void operator()(std::size_t i) const {
    float const g = reference::gradient(zero::widen(values[i]), step, k, parameter, contribution, i);
    Compute const scaled = zero::narrow<Compute>(i == bad ? HUGE_VALF : *scale * g);
    target[i] = adds ? zero::narrow<Compute>(zero::widen(target[i]) + zero::widen(scaled)) : scaled;
  }
};

/// Writes NaN everywhere. On a device, too.
template <class Compute>
struct FillNan {
  Compute* target;

  ZERO_HOST_DEVICE void operator()(std::size_t i) const { target[i] = zero::narrow<Compute>(NAN); }
};

/// The trainer's own work on a host backend: done at once.
class AtOnce {
 public:
  /// Memory for adopted buffers.
  template <class T>
  using Array = std::vector<T>;

  template <class Communicator>
  AtOnce(Communicator& /*communicator*/, int /*streams*/) {}

  template <class Config>
  void configure(Config& config, Run const& run) {
    if (run.pool) config.backend.pool = &pool_.emplace(run.threads);
    config.backend.threads = run.pool ? 0 : run.threads;
  }
  [[nodiscard]] zero::HostStream stream(std::size_t /*k*/) const { return {}; }
  /// Calls `f(i)` for every i below \p n.
  template <class F>
  void launch(zero::HostStream /*stream*/, char const* /*name*/, std::vector<Touched> const& /*touched*/, std::size_t n,
              F const& f) {
    for (std::size_t i = 0; i < n; ++i) f(i);
  }
  /// Uses values, and leaves nothing behind.
  template <class T>
  void look_at(zero::HostStream /*stream*/, std::span<T const> /*values*/) {}
  /// A copy for the host, which waits for it.
  template <class T>
  [[nodiscard]] std::vector<T> fetch(zero::HostStream /*stream*/, std::span<T const> values) {
    return {values.begin(), values.end()};
  }

 private:
  std::optional<zero::ThreadPool> pool_;
};

}  // namespace engine_test
