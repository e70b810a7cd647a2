// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Trainers in C11 that use nothing of zero but zero/c.h.

#include <zero/c.h>

#if defined(__cplusplus)
extern "C" {
#endif

// NOLINTBEGIN: names of C

enum { model_parameters = 3, model_elements = 700 + 33 + 257 };

// Elements of each parameter.
extern size_t const model_sizes[model_parameters];

// A training, and what it gives. Gradients are the caller's, so that no arithmetic is the trainer's own.
typedef struct training {
  zero_setting const* settings;
  size_t setting_count;
  int32_t type;                    // zero_type
  size_t element_size;             // of that type
  float const* initial;            // model_elements
  unsigned char const* gradients;  // model_elements of `type` for each micro-batch of each step
  int micro_batches;               // of a step, over all ranks
  int steps;
  float* values;              // model_elements for each step, in fp32, written by rank 0
  float* states;              // of the first state, written by rank 0; null: the rule has none
  unsigned char* gathered;    // model_elements of `type`: what the last gathers of rank 0 gave
  zero_step_report* reports;  // for each step, written by rank 0
  char message[512];          // what went wrong on the rank that failed first
} training;

// A rank of a training whose parameters the engine places: gathers and hands over unit by unit. As zero_world_run
// calls it; `context` is a training.
int train_placed(zero_rank* rank, void* context);

// The same of a model in two buffers of its own, which the engine adopts: accumulate and update. Stages 0 to 2.
int train_adopted(zero_rank* rank, void* context);

// NOLINTEND

#if defined(__cplusplus)
}
#endif
