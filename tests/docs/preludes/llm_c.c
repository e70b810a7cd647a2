// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The names of llm.c that the page on the C interface uses.
#include <zero/c.h>
#include <stddef.h>
#include <stdio.h>

#define NUM_PARAMETER_TENSORS 16
typedef struct {
  size_t param_sizes[NUM_PARAMETER_TENSORS];
  float* params_memory;
  float* grads_memory;
  float mean_loss;
} GPT2;
void gpt2_zero_grad(GPT2* model);
void gpt2_forward(GPT2* model, int* inputs, int* targets, size_t B, size_t T);
void gpt2_backward(GPT2* model);

int train(zero_rank* rank, GPT2 model, int* inputs, int* targets, size_t B, size_t T, int step, int number);
int train(zero_rank* rank, GPT2 model, int* inputs, int* targets, size_t B, size_t T, int step, int number) {
  // block
  return 0;
}
