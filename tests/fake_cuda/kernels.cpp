// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What nvcc's host code registers and launches. The stub of a kernel template is a function of its translation unit:
// host kernels belong to the name that the stub is registered with.

#include "fake_cuda/state.hpp"

#include <zero/error.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using Maker = fake_cuda::HostKernel (*)(void**);

struct Registry {
  std::map<void const*, std::string> names;                // by stub
  std::vector<std::pair<void const*, Maker>> not_named{};  // before all translation units have registered theirs
  std::map<std::string, Maker> host_kernels;
};
Registry& registry() {
  static Registry all;
  return all;
}

Maker host_kernel_of(std::string const& name) {
  auto& all = registry();
  for (auto const& [stub, make] : std::exchange(all.not_named, {})) all.host_kernels[all.names[stub]] = make;
  auto const found = all.host_kernels.find(name);
  return found == all.host_kernels.end() ? nullptr : found->second;
}

}  // namespace

void fake_cuda::add_host_kernel(void const* kernel, Maker make) { registry().not_named.emplace_back(kernel, make); }

extern "C" {

void** __cudaRegisterFatBinary(void* /*binary*/) {
  static void* handle = nullptr;
  return &handle;
}
void __cudaRegisterFatBinaryEnd(void** /*handle*/) {}
void __cudaUnregisterFatBinary(void** /*handle*/) {}
char __cudaInitModule(void** /*handle*/) { return 1; }
void __cudaRegisterFunction(void** /*handle*/, char const* stub, char* /*device*/, char const* name, int /*threads*/,
                            uint3* /*first*/, uint3* /*last*/, dim3* /*block*/, dim3* /*grid*/, int* /*warp*/) {
  registry().names[stub] = name;
}
void __cudaRegisterVar(void** /*handle*/, char* /*variable*/, char* /*address*/, char const* /*name*/, int /*external*/,
                       std::size_t /*size*/, int /*constant*/, int /*global*/) {}

cudaError_t cudaLaunchKernel(void const* stub, dim3 grid, dim3 /*block*/, void** arguments, std::size_t /*shared*/,
                             cudaStream_t handle) {
  auto& all = fake_cuda::machine();
  std::lock_guard const lock(all.mutex);
  if (auto const code = all.begin_call("cudaLaunchKernel"); code != cudaSuccess) return code;
  auto* const stream = all.stream(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (grid.x == 0) return cudaErrorInvalidConfiguration;
  auto const& name = registry().names[stub];
  auto const make = host_kernel_of(name);
  if (make == nullptr) {
    all.fail("fake runtime: the kernel " + name + " has no host kernel: add one to tests/fake_cuda/host_kernels.cuh");
    return cudaErrorInvalidDeviceFunction;
  }
  all.count(&fake_cuda::Counts::launches);
  auto host_kernel = make(arguments);
  fake_cuda::Operation operation;
  operation.name = std::move(host_kernel.name);
  operation.accesses = std::move(host_kernel.accesses);
  operation.run = std::move(host_kernel.run);
  (void)all.put(*stream, std::move(operation), fake_cuda::Actor::device);
  return all.failure() ? cudaErrorLaunchFailure : cudaSuccess;
}
cudaError_t __cudaGetKernel(cudaKernel_t* kernel, void const* stub) {
  *kernel = reinterpret_cast<cudaKernel_t>(const_cast<void*>(stub));
  return cudaSuccess;
}
cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** arguments, std::size_t shared,
                               cudaStream_t stream) {
  return cudaLaunchKernel(reinterpret_cast<void const*>(kernel), grid, block, arguments, shared, stream);
}
unsigned __cudaPushCallConfiguration(dim3 /*grid*/, dim3 /*block*/, std::size_t /*shared*/, void* /*stream*/) {
  return 1;  // zero launches with cudaLaunchKernel
}
cudaError_t __cudaPopCallConfiguration(dim3* /*grid*/, dim3* /*block*/, std::size_t* /*shared*/, void* /*stream*/) {
  return cudaErrorMissingConfiguration;
}

}  // extern "C"
