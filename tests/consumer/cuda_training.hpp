// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/backends/cuda.hpp>
#include <zero/engine.hpp>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdio>
#include <vector>

namespace consumer {

/// One step with gradients of zero; the rule's decay alone changes the parameters. Plain C++: no kernel of its own.
template <class Engine, class Communicator>
bool take_step(Communicator& communicator) {
  zero::ParameterList parameters;
  auto const weight = parameters.add({.name = "weight", .shape = {300}});
  Engine engine{communicator, parameters, {.optimizer = {.lr = 0.5F, .weight_decay = 0.5F}}};
  engine.write_parameter("weight", std::vector<float>(300, 2.0F));
  cudaStream_t handle = nullptr;
  zero::check_cuda(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  {
    zero::CudaStream const stream(handle);
    auto micro_batch = engine.begin_micro_batch(stream);
    auto gradients = engine.gradients(weight, stream);
    auto const target = gradients.write(weight);
    zero::check_cuda(cudaMemsetAsync(target.values.data(), 0, target.values.size_bytes(), handle), "cudaMemsetAsync");
    gradients.ready(stream);
    micro_batch.finish(stream);
    (void)engine.step(stream).get();
  }
  (void)cudaStreamDestroy(handle);
  return engine.read_parameter("weight")[299] == 1.5F;
}

/// Runs \p f, which says whether its result is right. A machine without a GPU must be told so by a typed error.
template <class F>
int report(char const* name, F f) {
  int devices = 0;
  bool const has_gpu = cudaGetDeviceCount(&devices) == cudaSuccess && devices > 0;
  try {
    bool const right = f();
    std::printf("%s: %s\n", name, right ? "trained" : "trained wrongly");
    return right && has_gpu ? 0 : 1;
  } catch (zero::CudaError const& error) {
    std::printf("%s: %s\n", name, error.what());
    bool const expected = error.code() == cudaErrorInsufficientDriver || error.code() == cudaErrorNoDevice;
    return expected && !has_gpu ? 0 : 1;
  } catch (std::exception const& error) {
    std::printf("%s: not the expected error: %s\n", name, error.what());
    return 1;
  }
}

}  // namespace consumer
