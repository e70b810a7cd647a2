// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The calls of the CUDA runtime that zero makes.

#include "fake_cuda/call.hpp"

#include <zero/backends/cuda.hpp>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace {

using fake_cuda::Access;
using fake_cuda::Actor;
using fake_cuda::Asks;
using fake_cuda::call;
using fake_cuda::Counts;
using fake_cuda::EventState;
using fake_cuda::FakeMachine;
using fake_cuda::last_error;
using fake_cuda::on_stream;
using fake_cuda::put;
using fake_cuda::release;
using fake_cuda::StreamState;
using zero::simulation::reads;
using zero::simulation::writes;

// The host waits until everything that was put on a stream has run, and knows that.
cudaError_t wait_for(FakeMachine& all, StreamState& stream) {
  if (stream.capture) {
    stream.capture->valid = false;
    return cudaErrorStreamCaptureUnsupported;
  }
  all.await(stream.queue.last);
  all.host().join_clock(stream.queue.clock);
  return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
}

// From memory of the program: the stream is waited for, and the bytes are taken before the call returns. To it: the
// call returns when they are there.
cudaError_t copy_pageable(FakeMachine& all, StreamState& stream, void* to, void const* from, std::size_t bytes,
                          bool from_pageable) {
  all.count(&Counts::blocking_copies);
  if (auto const code = wait_for(all, stream); code != cudaSuccess) return code;
  if (from_pageable && all.block_of(to) == nullptr) {
    std::memcpy(to, from, bytes);
    return cudaSuccess;
  }
  if (from_pageable) {
    auto const* const begin = static_cast<std::byte const*>(from);
    return put(
        all, stream, "copy", {writes(to, bytes)},
        [to, taken = std::vector<std::byte>(begin, begin + bytes)] { std::memcpy(to, taken.data(), taken.size()); },
        Actor::copier);
  }
  auto const code = put(
      all, stream, "copy", {reads(from, bytes)}, [to, from, bytes] { std::memcpy(to, from, bytes); }, Actor::copier);
  return code != cudaSuccess ? code : wait_for(all, stream);
}

EventState* event_of(FakeMachine& all, cudaEvent_t handle) {
  auto* const event = reinterpret_cast<EventState*>(handle);
  return all.events.count(event) > 0 ? event : nullptr;
}

cudaError_t allocate(void** data, std::size_t bytes, cudaMemoryType kind) {
  return call(kind == cudaMemoryTypeDevice ? "cudaMalloc" : "cudaHostAlloc",
              [&](FakeMachine& all) { return all.allocate(data, bytes, kind); });
}

cudaError_t create_stream(char const* name, cudaStream_t* handle, unsigned flags) {
  return call(name, [&](FakeMachine& all) {
    if (flags != cudaStreamNonBlocking) return cudaErrorInvalidValue;  // what the default stream waits for
    auto const number = all.streams.size();
    *handle =
        reinterpret_cast<cudaStream_t>(&all.make_stream(all.host().device, zero::detail::concat({"stream ", number})));
    return cudaSuccess;
  });
}

}  // namespace

extern "C" {

// ------------------------------------------------------------------------------------------------- errors, devices

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaPeekAtLastError() { return last_error; }
char const* cudaGetErrorName(cudaError_t code) {
  switch (code) {
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInsufficientDriver:
      return "cudaErrorInsufficientDriver";
    case cudaErrorStreamCaptureIsolation:
      return "cudaErrorStreamCaptureIsolation";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "a name that the fake runtime does not know";
  }
}
char const* cudaGetErrorString(cudaError_t code) {
  static thread_local std::string text;
  auto const found = fake_cuda::violations();
  text = "error " + std::to_string(static_cast<int>(code)) + (found.empty() ? "" : " of the fake runtime: " + found);
  return text.c_str();
}

cudaError_t cudaGetDeviceCount(int* count) {
  return call("cudaGetDeviceCount", [&](FakeMachine& all) {
    *count = all.options().devices;
    return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
  });
}
cudaError_t cudaGetDevice(int* device) {
  return call("cudaGetDevice", [&](FakeMachine& all) {
    *device = all.host().device;
    return all.options().devices > 0 ? cudaSuccess : cudaErrorNoDevice;
  });
}
cudaError_t cudaSetDevice(int device) {
  return call("cudaSetDevice", [&](FakeMachine& all) {
    if (device < 0 || device >= all.options().devices) return cudaErrorInvalidDevice;
    all.host().device = device;
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int /*device*/) {
  return call("cudaDeviceGetAttribute", [&](FakeMachine&) {
    *value = attribute == cudaDevAttrMultiProcessorCount ? 4 : 0;
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  return call("cudaDeviceGetPCIBusId", [&](FakeMachine&) {
    std::snprintf(id, static_cast<std::size_t>(length), "0000:%02d:00.0", device);
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) {
  return call("cudaDeviceGetStreamPriorityRange", [&](FakeMachine&) {
    *least = 0, *greatest = -5;
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceCanAccessPeer(int* possible, int device, int peer) {
  return call("cudaDeviceCanAccessPeer", [&](FakeMachine& all) {
    *possible = device != peer && all.options().peers ? 1 : 0;
    return cudaSuccess;
  });
}
cudaError_t cudaDeviceEnablePeerAccess(int peer, unsigned /*flags*/) {
  return call("cudaDeviceEnablePeerAccess", [&](FakeMachine& all) {
    if (!all.options().peers) return cudaErrorPeerAccessUnsupported;
    bool const fresh = all.peers.insert({all.host().device, peer}).second;
    return fresh ? cudaSuccess : cudaErrorPeerAccessAlreadyEnabled;
  });
}
cudaError_t cudaDeviceSynchronize() {
  return call("cudaDeviceSynchronize", [](FakeMachine& all) {
    all.count(&Counts::synchronizations);
    all.await_device(all.host().device);
    return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
  });
}

// ------------------------------------------------------------------------------------------------- memory

cudaError_t cudaMalloc(void** data, std::size_t bytes) { return allocate(data, bytes, cudaMemoryTypeDevice); }
cudaError_t cudaHostAlloc(void** data, std::size_t bytes, unsigned /*flags*/) {
  return allocate(data, bytes, cudaMemoryTypeHost);
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  return call("cudaMemGetInfo", [&](FakeMachine& all) {
    *total = all.options().device_bytes;
    *free = *total - all.memory.bytes_of(cudaMemoryTypeDevice);
    return cudaSuccess;
  });
}
cudaError_t cudaFree(void* data) {
  return release("cudaFree", [&](FakeMachine& all) { return all.free(data, cudaMemoryTypeDevice); });
}
cudaError_t cudaFreeHost(void* data) {
  return release("cudaFreeHost", [&](FakeMachine& all) { return all.free(data, cudaMemoryTypeHost); });
}
// Pageable memory that is pinned for a while: copies from it are in order here anyhow.
cudaError_t cudaHostRegister(void* /*data*/, std::size_t /*bytes*/, unsigned /*flags*/) {
  return call("cudaHostRegister", [](FakeMachine&) { return cudaSuccess; });
}
cudaError_t cudaHostUnregister(void* /*data*/) {
  return release("cudaHostUnregister", [](FakeMachine&) { return cudaSuccess; });
}
cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, void const* data) {
  return call("cudaPointerGetAttributes", [&](FakeMachine& all) {
    auto const* const block = all.block_of(data);
    *attributes = {};
    attributes->type = block == nullptr ? cudaMemoryTypeUnregistered : block->kind;
    attributes->device = block == nullptr ? -2 : block->device;
    return cudaSuccess;
  });
}

cudaError_t cudaMemcpyAsync(void* to, void const* from, std::size_t bytes, cudaMemcpyKind /*kind*/,
                            cudaStream_t handle) {
  return on_stream("cudaMemcpyAsync", handle, [&](FakeMachine& all, StreamState& stream) {
    bool const from_pageable = all.block_of(from) == nullptr;
    if (from_pageable || all.block_of(to) == nullptr) {
      return copy_pageable(all, stream, to, from, bytes, from_pageable);
    }
    return put(
        all, stream, "copy", {reads(from, bytes), writes(to, bytes)},
        [to, from, bytes] { std::memcpy(to, from, bytes); }, Actor::copier);
  });
}
cudaError_t cudaMemcpy(void* to, void const* from, std::size_t bytes, cudaMemcpyKind /*kind*/) {
  return call("cudaMemcpy", [&](FakeMachine& all) {
    all.count(&Counts::blocking_copies);
    auto& stream = all.make_stream(all.host().device, "copies");
    stream.destroyed = true;
    auto const code = copy_pageable(all, stream, to, from, bytes, all.block_of(from) == nullptr);
    return code != cudaSuccess ? code : wait_for(all, stream);
  });
}
cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t handle) {
  return on_stream("cudaMemsetAsync", handle, [&](FakeMachine& all, StreamState& stream) {
    return put(
        all, stream, "memset", {writes(to, bytes)}, [to, value, bytes] { std::memset(to, value, bytes); },
        Actor::device);
  });
}

// ------------------------------------------------------------------------------------------------- streams

cudaError_t cudaStreamCreateWithPriority(cudaStream_t* handle, unsigned flags, int /*priority*/) {
  return create_stream("cudaStreamCreateWithPriority", handle, flags);
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* handle, unsigned flags) {
  return create_stream("cudaStreamCreateWithFlags", handle, flags);
}
cudaError_t cudaStreamDestroy(cudaStream_t handle) {
  return release("cudaStreamDestroy", [&](FakeMachine& all) {
    auto* const stream = all.stream(handle);
    if (stream == nullptr) return cudaErrorInvalidResourceHandle;
    stream->destroyed = true;  // what is on it runs
    all.changed.notify_all();
    return cudaSuccess;
  });
}
cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
  return on_stream("cudaStreamSynchronize", handle, [](FakeMachine& all, StreamState& stream) {
    all.count(&Counts::synchronizations);
    return wait_for(all, stream);
  });
}
cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event_handle, unsigned /*flags*/) {
  return on_stream("cudaStreamWaitEvent", handle, [&](FakeMachine& all, StreamState& stream) {
    auto* const event = event_of(all, event_handle);
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    return all.orders(false) ? all.wait(stream, *event) : cudaSuccess;
  });
}
cudaError_t cudaLaunchHostFunc(cudaStream_t handle, cudaHostFn_t f, void* argument) {
  return on_stream("cudaLaunchHostFunc", handle, [&](FakeMachine& all, StreamState& stream) {
    if (stream.capture) return cudaErrorStreamCaptureUnsupported;
    auto const* const task = static_cast<zero::detail::HostTask const*>(argument);
    std::vector<Access> accesses;
    for (auto const& range : task->touches) {
      accesses.push_back(range.writes ? writes(range.data, range.bytes) : reads(range.data, range.bytes));
    }
    ++all.tasks;
    return put(
        all, stream, FakeMachine::host_function, std::move(accesses), [f, argument] { f(argument); }, Actor::host);
  });
}

// ------------------------------------------------------------------------------------------------- events

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned flags) {
  return call("cudaEventCreateWithFlags", [&](FakeMachine& all) {
    auto* const event = *all.events.insert(new EventState).first;
    event->keeps_time = (flags & cudaEventDisableTiming) == 0;
    *handle = reinterpret_cast<cudaEvent_t>(event);
    return cudaSuccess;
  });
}
cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  return release("cudaEventDestroy", [&](FakeMachine& all) {
    auto* const event = event_of(all, handle);
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    all.events.erase(event);
    delete event;
    return cudaSuccess;
  });
}
cudaError_t cudaEventRecord(cudaEvent_t event_handle, cudaStream_t handle) {
  return on_stream("cudaEventRecord", handle, [&](FakeMachine& all, StreamState& stream) {
    auto* const event = event_of(all, event_handle);
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    return all.orders(true) ? all.record(*event, stream) : cudaSuccess;
  });
}
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  return call(
      "cudaEventQuery",
      [&](FakeMachine& all) {
        auto const* const event = event_of(all, handle);
        if (event == nullptr) return cudaErrorInvalidResourceHandle;
        if (event->capture) return cudaErrorCapturedEvent;
        if (!event->recorded) return cudaSuccess;
        if (!event->recorded->done) (void)all.run_one(0);
        if (!event->recorded->done) return cudaErrorNotReady;
        all.host().join_clock(event->recorded->clock);
        return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
      },
      Asks::yes);
}
cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  return call("cudaEventSynchronize", [&](FakeMachine& all) {
    auto const* const event = event_of(all, handle);
    if (event == nullptr) return cudaErrorInvalidResourceHandle;
    if (event->capture) return cudaErrorCapturedEvent;
    all.count(&Counts::synchronizations);
    if (!event->recorded) return cudaSuccess;
    all.await(event->recorded);
    all.host().join_clock(event->recorded->clock);
    return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
  });
}

// In logical time: the machine runs one operation at a time, which takes a microsecond. It does not wait: of events
// that are not over it says so.
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from_handle, cudaEvent_t to_handle) {
  return call("cudaEventElapsedTime", [&](FakeMachine& all) {
    auto const *const from = event_of(all, from_handle), *const to = event_of(all, to_handle);
    for (auto const* event : {from, to}) {
      if (event == nullptr || !event->keeps_time || !event->recorded) return cudaErrorInvalidResourceHandle;
      if (event->capture) return cudaErrorCapturedEvent;
      if (!event->recorded->done) return cudaErrorNotReady;
    }
    auto const ticks =
        static_cast<double>(to->recorded->finished_at) - static_cast<double>(from->recorded->finished_at);
    *milliseconds = static_cast<float>(ticks * 1e-3);
    return cudaSuccess;
  });
}

}  // extern "C"

// ------------------------------------------------------------------------------------------------- for tests

cudaError_t fake_cuda::launch(cudaStream_t handle, std::string name, std::vector<Access> accesses,
                              std::function<void()> run) {
  return on_stream("a launch of the test", handle, [&](FakeMachine& all, StreamState& stream) {
    return put(all, stream, std::move(name), std::move(accesses), std::move(run), Actor::device);
  });
}
