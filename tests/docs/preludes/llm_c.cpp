// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The names of llm.c that the page on adopted buffers uses.
#include <zero/engine.hpp>

#include <cstddef>
#include <vector>

constexpr int NUM_PARAMETER_TENSORS = 16;
struct GPT2 {
  std::size_t param_sizes[NUM_PARAMETER_TENSORS];
};
void gpt2_zero_grad(GPT2* model);
void gpt2_forward(GPT2* model, int const* inputs, int const* targets, int B, int T);
void gpt2_backward(GPT2* model);
void gpt2_update(GPT2* model, float lr, float beta1, float beta2, float eps, float weight_decay, int step);
extern char const* names[NUM_PARAMETER_TENSORS];
bool is_matrix(int i);
float* parameter_pointer(int i);
float* gradient_pointer(int i);

void train(zero::ThreadCommunicator& communicator, GPT2 model, int const* inputs, int const* targets, int B, int T,
           int step, float lr, float beta1, float beta2, float eps, float weight_decay, zero::HostStream stream) {
  // block
}
