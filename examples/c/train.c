// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A trainer in C that owns its buffers, as llm.c does: one allocation for all parameters, one for all gradients. The
// engine adopts both, so that forward and backward stay as they are. Two ranks, as threads of this process, shard the
// optimizer's states and gradients (ZeRO-2).
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <zero/c.h>

enum { hidden = 16, parameters = 3 * hidden + 1, steps = 2000 };

// y = w2 tanh(w1 x + b1) + b2, with parameters where the trainer has always kept them.
typedef struct network {
  float values[parameters];
  float gradients[parameters];
} network;

// Adds the gradient of (y(x) - target)^2 / 2 and returns that loss.
static float forward_backward(network* n, float x, float target) {
  float const *w1 = n->values, *b1 = w1 + hidden, *w2 = b1 + hidden;
  float h[hidden], y = w2[hidden];
  for (int i = 0; i < hidden; ++i) {
    h[i] = tanhf(w1[i] * x + b1[i]);
    y += w2[i] * h[i];
  }
  float const error = y - target;
  for (int i = 0; i < hidden; ++i) {
    float const dh = error * w2[i] * (1.0F - h[i] * h[i]);
    n->gradients[i] += dh * x;
    n->gradients[hidden + i] += dh;
    n->gradients[2 * hidden + i] += error * h[i];
  }
  n->gradients[3 * hidden] += error;
  return 0.5F * error * error;
}

// What each rank does. What it returns is what zero_world_run returns.
static int train(zero_rank* rank, void* context) {
  double* const last_loss = context;
  int32_t number = 0, ranks = 0;
  zero_status status = zero_rank_place(rank, &number, &ranks);
  if (status != ZERO_OK) return status;

  network n;
  for (int i = 0; i < parameters; ++i) n.values[i] = sinf((float)(7 * i + 1));
  size_t const sizes[] = {hidden, hidden, hidden, 1};
  char const* const names[] = {"w1", "b1", "w2", "b2"};
  zero_flat_model const model = {
      .size = sizeof model, .values = n.values, .gradients = n.gradients, .sizes = sizes, .tensors = 4, .names = names};
  zero_setting const settings[] = {{"stage", "2", 0}, {"lr", "0.01", 0}, {"weight_decay", "0", 0}};
  zero_engine* engine = NULL;  // freed with the rank, when this function has returned and n is gone
  status = zero_engine_create_flat(rank, &model, settings, 3, &engine);
  if (status != ZERO_OK) return status;

  double loss = 0.0;
  for (int step = 0; step < steps; ++step) {
    memset(n.gradients, 0, sizeof n.gradients);
    float const x = sinf((float)(ranks * step + number)) * 2.0F;
    float const own = forward_backward(&n, x, x * x);
    zero_step_report report = {.size = sizeof report};
    status = zero_engine_update(engine, NULL, &report);  // the new parameters are in n.values
    if (status != ZERO_OK) return status;
    if (report.skipped) printf("step %d was skipped\n", step);
    status = zero_engine_mean_over_ranks(engine, own, 1.0, &loss);
    if (status != ZERO_OK) return status;
  }
  if (number == 0) *last_loss = loss;
  return ZERO_OK;
}

int main(void) {
  double loss = 0.0;
  zero_status const status = zero_world_run(2, NULL, train, &loss);
  if (status != ZERO_OK) {
    fprintf(stderr, "%s: %s\n", zero_status_name(status), zero_last_error());
    return 1;
  }
  printf("mean loss of the last samples: %.6f\n", loss);
  return loss < 0.01 ? 0 : 1;
}
