// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The calls of the CUDA runtime that NcclCommunicator makes, on devices that are threads with one stream each.

#include "nccl_stand_in/device_queue.hpp"

#include <cuda_runtime_api.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

thread_local int current_device = 0;

struct Event {
  std::atomic<int> device{-1};
  std::atomic<std::uint64_t> operation{0};
};
Event& of(cudaEvent_t event) { return *reinterpret_cast<Event*>(event); }

}  // namespace

nccl_stand_in::DeviceQueue& nccl_stand_in::queue(int device) {
  static std::array<DeviceQueue, devices> all;
  return all.at(static_cast<std::size_t>(device));
}
nccl_stand_in::DeviceQueue& nccl_stand_in::queue() { return queue(current_device); }

using nccl_stand_in::queue;

extern "C" {

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  current_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceCount(int* count) {
  *count = nccl_stand_in::devices;
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int device) {
  std::snprintf(id, static_cast<std::size_t>(length), "0000:%02d:00.0", device);
  return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* possible, int /*device*/, int /*peer*/) {
  *possible = 1;
  return cudaSuccess;
}
cudaError_t cudaDeviceEnablePeerAccess(int /*peer*/, unsigned /*flags*/) { return cudaSuccess; }

cudaError_t cudaMalloc(void** data, size_t bytes) {
  *data = std::malloc(bytes);
  return *data == nullptr ? cudaErrorMemoryAllocation : cudaSuccess;
}
cudaError_t cudaFree(void* data) {
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, void const* from, size_t bytes, cudaMemcpyKind /*kind*/,
                            cudaStream_t /*stream*/) {
  queue().put([=] { std::memmove(to, from, bytes); });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned /*flags*/) {
  static int any = 0;
  *stream = reinterpret_cast<cudaStream_t>(&any);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t /*stream*/) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t /*stream*/) {
  queue().drain();
  return cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t /*stream*/, cudaEvent_t event, unsigned /*flags*/) {
  return of(event).device == current_device ? cudaSuccess : cudaErrorInvalidValue;  // one stream for each device
}
cudaError_t cudaStreamIsCapturing(cudaStream_t /*stream*/, cudaStreamCaptureStatus* status) {
  *status = cudaStreamCaptureStatusNone;
  return cudaSuccess;
}
cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* /*mode*/) { return cudaSuccess; }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned /*flags*/) {
  *event = reinterpret_cast<cudaEvent_t>(new Event);
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete &of(event);
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t /*stream*/) {
  of(event).operation = queue().put([] {});
  of(event).device = current_device;
  return cudaSuccess;
}
cudaError_t cudaEventQuery(cudaEvent_t event) {
  return queue(of(event).device).done(of(event).operation) ? cudaSuccess : cudaErrorNotReady;
}
cudaError_t cudaEventSynchronize(cudaEvent_t /*event*/) { std::abort(); }  // would wait for ever where a peer is gone

cudaError_t cudaGetLastError() { return cudaSuccess; }
char const* cudaGetErrorString(cudaError_t /*code*/) { return "an error of the stand-in"; }
char const* cudaGetErrorName(cudaError_t /*code*/) { return "cudaErrorOfTheStandIn"; }

}  // extern "C"
