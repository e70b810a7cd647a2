// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What nvcc's host code registers and launches. The stub of a kernel template is a function of its translation unit:
// twins belong to the name that the stub is registered with.

#include "stand_in/state.hpp"

#include <zero/error.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using Maker = stand_in::Twin (*)(void**);

struct Registry {
  std::map<void const*, std::string> names;                // by stub
  std::vector<std::pair<void const*, Maker>> not_named{};  // before all translation units have registered theirs
  std::map<std::string, Maker> twins;
};
Registry& registry() {
  static Registry all;
  return all;
}

Maker twin_of(std::string const& name) {
  auto& all = registry();
  for (auto const& [stub, make] : std::exchange(all.not_named, {})) all.twins[all.names[stub]] = make;
  auto const found = all.twins.find(name);
  return found == all.twins.end() ? nullptr : found->second;
}

}  // namespace

void stand_in::add_twin(void const* kernel, Maker make) { registry().not_named.emplace_back(kernel, make); }

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
  auto& all = stand_in::machine();
  std::lock_guard const lock(all.mutex);
  if (auto const code = all.begin_call("cudaLaunchKernel"); code != cudaSuccess) return code;
  auto* const stream = all.stream(handle);
  if (stream == nullptr) return cudaErrorInvalidResourceHandle;
  if (grid.x == 0) return cudaErrorInvalidConfiguration;
  auto const& name = registry().names[stub];
  auto const make = twin_of(name);
  if (make == nullptr) {
    all.fail("stand-in: the kernel " + name + " has no twin on the host: add one to tests/stand_in/twins.cuh");
    return cudaErrorInvalidDeviceFunction;
  }
  all.count(&stand_in::Counts::launches);
  auto twin = make(arguments);
  stand_in::Operation operation;
  operation.name = std::move(twin.name);
  operation.accesses = std::move(twin.accesses);
  operation.run = std::move(twin.run);
  (void)all.put(*stream, std::move(operation), stand_in::Actor::device);
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
