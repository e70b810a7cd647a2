// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/collective.hpp"
#include "fake_cuda/state.hpp"

#include <nccl.h>

#include <mutex>
#include <string>

// How calls of NCCL begin and end.
namespace fake_cuda {

inline CommunicatorState* of(FakeMachine& all, ncclComm_t handle) {
  auto* const communicator = reinterpret_cast<CommunicatorState*>(handle);
  return all.communicators.count(communicator) > 0 && !communicator->ended ? communicator : nullptr;
}
inline ncclComm_t handle_of(CommunicatorState* communicator) { return reinterpret_cast<ncclComm_t>(communicator); }

/// Calls `f(machine)` unless the call fails by itself.
template <class F>
ncclResult_t nccl_call(char const* name, F const& f, Asks asks = Asks::no) {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  if (all.begin_call(name, asks) != cudaSuccess) return ncclUnhandledCudaError;
  return f(all);
}

/// The same with a communicator that may be called: NCCL has put what came before on its way.
template <class F>
ncclResult_t nccl_call(char const* name, ncclComm_t handle, F const& f) {
  return nccl_call(name, [&](FakeMachine& all) {
    auto* const communicator = of(all, handle);
    if (communicator == nullptr || communicator->is_busy()) {
      all.fail(std::string("fake runtime: ") + name +
               " on a communicator that is gone, or whose last call is not over");
      return ncclInvalidArgument;
    }
    return f(all, *communicator);
  });
}

/// The end of a communicator, also where the call says that it fails.
template <class F>
ncclResult_t nccl_end(char const* name, ncclComm_t handle, F const& f) {
  auto& all = machine();
  std::lock_guard const lock(all.mutex);
  auto const code = all.begin_call(name);
  auto* const communicator = of(all, handle);
  if (communicator == nullptr) return ncclInvalidArgument;
  f(all, *communicator);
  return code == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

inline ncclResult_t in_progress(CommunicatorState& communicator, int questions) {
  communicator.questions = questions;
  return ncclInProgress;
}

}  // namespace fake_cuda
