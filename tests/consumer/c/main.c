// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <stdio.h>

#include <zero/c.h>

// One step of plain SGD: 2 - 0.25 x 4 = 1.
static int train(zero_rank* rank, void* context) {
  float value = 2.0F, gradient = 4.0F;
  size_t const size = 1;
  zero_flat_model const model = {
      .size = sizeof model, .values = &value, .gradients = &gradient, .sizes = &size, .tensors = 1};
  zero_setting const settings[] = {{"rule", "SGD", 0}, {"lr", "0.25", 0}};
  zero_engine* engine = NULL;
  zero_status status = zero_engine_create_flat(rank, &model, settings, 2, &engine);
  if (status == ZERO_OK) status = zero_engine_update(engine, NULL, NULL);
  *(float*)context = value;
  return status;
}

int main(void) {
  float value = 0.0F;
  if (zero_world_run(1, NULL, train, &value) != ZERO_OK) {
    fprintf(stderr, "%s\n", zero_last_error());
    return 1;
  }
  if (zero_version() != ZERO_VERSION || value != 1.0F) return 2;
  return 0;
}
