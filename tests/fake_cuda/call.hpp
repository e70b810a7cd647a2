// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/state.hpp"

#include <cuda_runtime_api.h>

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

// How calls of the runtime begin and end.
namespace fake_cuda {

inline thread_local cudaError_t last_error = cudaSuccess;

inline cudaError_t told(cudaError_t code) {
  if (code != cudaSuccess) last_error = code;
  return code;
}

/// Calls `f(machine)` unless the call fails by itself.
template <class F>
cudaError_t call(char const* name, F const& f, Asks asks = Asks::no) {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  if (auto const code = all.begin_call(name, asks); code != cudaSuccess) return told(code);
  return told(f(all));
}

/// The same for what gives something back, which is given back even so.
template <class F>
cudaError_t release(char const* name, F const& f) {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  auto const code = all.begin_call(name);
  auto const done = f(all);
  return told(code != cudaSuccess ? code : done);
}

template <class F>
cudaError_t on_stream(char const* name, cudaStream_t handle, F const& f) {
  return call(name, [&](FakeMachine& all) {
    auto* const stream = all.stream(handle);
    return stream == nullptr ? cudaErrorInvalidResourceHandle : f(all, *stream);
  });
}

inline cudaError_t put(FakeMachine& all, StreamState& stream, std::string name, std::vector<Access> accesses,
                       std::function<void()> run, Actor actor) {
  Operation operation;
  operation.name = std::move(name);
  operation.accesses = std::move(accesses);
  operation.run = std::move(run);
  (void)all.put(stream, std::move(operation), actor);
  return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
}

}  // namespace fake_cuda
