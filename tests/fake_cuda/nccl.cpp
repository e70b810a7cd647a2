// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The calls of NCCL that zero makes, between ranks that are threads with a device each: communicators do not block, and
// are in progress for some questions after every call.

#include "fake_cuda/call.hpp"
#include "fake_cuda/nccl_call.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>

using fake_cuda::Asks;
using fake_cuda::CommGroup;
using fake_cuda::CommunicatorState;
using fake_cuda::FakeMachine;
using fake_cuda::handle_of;
using fake_cuda::in_progress;
using fake_cuda::nccl_call;
using fake_cuda::nccl_end;
using fake_cuda::of;

extern "C" {

ncclResult_t ncclGetVersion(int* version) {
  return nccl_call("ncclGetVersion", [&](FakeMachine&) {
    *version = NCCL_VERSION_CODE;
    return ncclSuccess;
  });
}
char const* ncclGetErrorString(ncclResult_t /*code*/) { return "an error of the fake runtime"; }
char const* ncclGetLastError(ncclComm_t /*communicator*/) { return ""; }

// ------------------------------------------------------------------------------------------------- communicators

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  return nccl_call("ncclGetUniqueId", [&](FakeMachine& all) {
    std::memset(id, 0, sizeof *id);
    std::snprintf(id->internal, sizeof id->internal, "communicator %zu", all.comm_groups.size());
    all.comm_groups[id->internal] = nullptr;
    return ncclSuccess;
  });
}
ncclResult_t ncclCommInitRankConfig(ncclComm_t* made, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  return nccl_call("ncclCommInitRankConfig", [&](FakeMachine& all) {
    if (config == nullptr || config->blocking != 0) return ncclInvalidArgument;  // could not be aborted
    auto& comm_group = all.comm_groups[id.internal];
    if (!comm_group) comm_group = std::make_shared<CommGroup>(static_cast<std::size_t>(size));
    int const device = all.host().device;
    auto const r = static_cast<std::size_t>(rank);
    bool const shared =
        std::find(comm_group->devices.begin(), comm_group->devices.end(), device) != comm_group->devices.end();
    if (static_cast<int>(comm_group->size()) != size || comm_group->devices.at(r) != -1 || shared)
      return ncclInvalidUsage;
    comm_group->devices[r] = device;
    auto* const communicator = *all.communicators.insert(new CommunicatorState).first;
    communicator->comm_group = comm_group, communicator->rank = r, communicator->device = device;
    *made = handle_of(communicator);
    return in_progress(*communicator, 5);
  });
}
ncclResult_t ncclCommGetAsyncError(ncclComm_t handle, ncclResult_t* state) {
  return nccl_call(
      "ncclCommGetAsyncError",
      [&](FakeMachine& all) {
        auto* const communicator = of(all, handle);
        if (communicator == nullptr) return ncclInvalidArgument;
        if (!communicator->pending.empty()) (void)all.run_one(0);
        bool const failed = all.asynchronously_failed == static_cast<int>(communicator->rank);
        *state = failed ? ncclSystemError : communicator->is_busy() ? ncclInProgress : ncclSuccess;
        if (communicator->questions > 0) --communicator->questions;
        return ncclSuccess;
      },
      Asks::yes);
}
ncclResult_t ncclCommFinalize(ncclComm_t handle) {
  return nccl_call("ncclCommFinalize", handle, [](FakeMachine&, CommunicatorState& communicator) {
    communicator.ends = true;
    return in_progress(communicator, 2);
  });
}
ncclResult_t ncclCommDestroy(ncclComm_t handle) {
  return nccl_end("ncclCommDestroy", handle, [](FakeMachine& all, CommunicatorState& communicator) {
    if (!communicator.pending.empty()) all.fail("fake runtime: a communicator is destroyed with collectives under way");
    all.end_communicator(communicator);
  });
}
ncclResult_t ncclCommAbort(ncclComm_t handle) {
  return nccl_end("ncclCommAbort", handle,
                  [](FakeMachine& all, CommunicatorState& communicator) { all.abort(communicator); });
}
ncclResult_t ncclCommCount(ncclComm_t handle, int* size) {
  return nccl_call("ncclCommCount", handle, [&](FakeMachine&, CommunicatorState& communicator) {
    *size = static_cast<int>(communicator.comm_group->size());
    return ncclSuccess;
  });
}
ncclResult_t ncclCommUserRank(ncclComm_t handle, int* rank) {
  return nccl_call("ncclCommUserRank", handle, [&](FakeMachine&, CommunicatorState& communicator) {
    *rank = static_cast<int>(communicator.rank);
    return ncclSuccess;
  });
}
// Where nothing is made on a rank it says success, and goes on, as NCCL does.
ncclResult_t ncclCommSplit(ncclComm_t handle, int color, int key, ncclComm_t* made, ncclConfig_t* /*config*/) {
  *made = nullptr;
  return nccl_call("ncclCommSplit", handle, [&](FakeMachine& all, CommunicatorState& communicator) {
    all.split(communicator, color, key, reinterpret_cast<CommunicatorState**>(made));
    communicator.questions = 2;
    return color < 0 ? ncclSuccess : ncclInProgress;
  });
}
ncclResult_t ncclMemAlloc(void** data, size_t bytes) {
  return nccl_call("ncclMemAlloc", [&](FakeMachine& all) {
    all.count(&fake_cuda::Counts::for_collectives);
    return all.allocate(data, bytes, cudaMemoryTypeDevice) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
  });
}
ncclResult_t ncclMemFree(void* data) {
  auto const code =
      fake_cuda::release("ncclMemFree", [&](FakeMachine& all) { return all.free(data, cudaMemoryTypeDevice); });
  return code == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}
ncclResult_t ncclCommRegister(ncclComm_t handle, void* data, size_t /*bytes*/, void** registered) {
  return nccl_call("ncclCommRegister", handle, [&](FakeMachine& all, CommunicatorState& communicator) {
    if (static_cast<int>(communicator.rank) == all.options().without_registration) return ncclInvalidUsage;
    if (all.block_of(data) == nullptr) return ncclInvalidArgument;
    communicator.registrations.insert(data);
    all.count(&fake_cuda::Counts::registrations);
    *registered = data;
    return ncclSuccess;
  });
}
ncclResult_t ncclCommDeregister(ncclComm_t handle, void* registered) {
  return nccl_end("ncclCommDeregister", handle, [&](FakeMachine&, CommunicatorState& communicator) {
    auto const found = communicator.registrations.find(registered);
    if (found != communicator.registrations.end()) communicator.registrations.erase(found);
  });
}

}  // extern "C"
