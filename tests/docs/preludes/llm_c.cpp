// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The names of llm.c that the page on adopted buffers uses.
#include <zero/any_engine.hpp>

#include <cstddef>
#include <cstdio>
#include <cstdlib>

constexpr int NUM_PARAMETER_TENSORS = 16;
struct ParameterTensors {
  float* tensors[NUM_PARAMETER_TENSORS];
};
struct GPT2 {
  struct {
    int num_layers;
  } config;
  ParameterTensors params;
  std::size_t param_sizes[NUM_PARAMETER_TENSORS];
  float* params_memory;
  float* grads_memory;
  float mean_loss;
};
void gpt2_zero_grad(GPT2* model);
void gpt2_forward(GPT2* model, int const* inputs, int const* targets, int B, int T);
void gpt2_backward(GPT2* model);
void gpt2_update(GPT2* model, float lr, float beta1, float beta2, float eps, float weight_decay, int step);

void train(zero::ThreadCommunicator& ranks, GPT2 model, int const* inputs, int const* targets, int B, int T, int step,
           float lr, float beta1, float beta2, float eps, float weight_decay) {
  // block
}
