// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "training.h"

#include <stdlib.h>
#include <string.h>

size_t const model_sizes[model_parameters] = {700, 33, 257};
static char const* const names[model_parameters] = {"first", "second", "third"};

// Ends the function that it stands in with what \p call returned, unless that is ZERO_OK.
#define RETURN_IF_FAILED(call)                 \
  do {                                         \
    zero_status const status = (call);         \
    if (status != ZERO_OK) return (int)status; \
  } while (0)

static size_t offset_of(uint32_t id) {
  size_t offset = 0;
  for (uint32_t i = 0; i < id; ++i) offset += model_sizes[i];
  return offset;
}

// The gradients of one micro-batch of one step.
static unsigned char const* gradients_of(training const* t, int step, int64_t index) {
  size_t const passes = (size_t)step * (size_t)t->micro_batches + (size_t)index;
  return t->gradients + passes * model_elements * t->element_size;
}

static zero_status add_parameters(zero_parameter_list* list, training const* t) {
  for (uint32_t i = 0; i < model_parameters; ++i) {
    zero_parameter_spec const spec = {.size = sizeof spec,
                                      .name = names[i],
                                      .shape = &model_sizes[i],
                                      .dimensions = 1,
                                      .unit = i,
                                      .initial = t->initial + offset_of(i)};
    uint32_t id = 0;
    zero_status const status = zero_parameter_list_add(list, &spec, &id);
    if (status != ZERO_OK) return status;
  }
  return ZERO_OK;
}

static zero_status make_placed_engine(zero_rank* rank, training const* t, zero_engine** engine) {
  zero_parameter_list* list = NULL;
  zero_status status = zero_parameter_list_create(&list);
  if (status != ZERO_OK) return status;
  status = add_parameters(list, t);
  if (status == ZERO_OK) status = zero_engine_create(rank, list, t->settings, t->setting_count, engine);
  zero_parameter_list_free(list);
  return status;
}

// Reads the parameter as forward would: whole, until the lease ends.
static zero_status forward(zero_engine* engine, training* t, uint32_t id, int number) {
  zero_parameter_lease* weights = NULL;
  zero_status status = zero_engine_gather(engine, &id, 1, &weights);
  if (status != ZERO_OK) return status;
  void const* values = NULL;
  size_t count = 0;
  status = zero_parameter_lease_values(weights, id, &values, &count);
  if (status == ZERO_OK && number == 0) {
    memcpy(t->gathered + offset_of(id) * t->element_size, values, count * t->element_size);
  }
  zero_status const ended = zero_parameter_lease_end(weights);
  return status != ZERO_OK ? status : ended;
}

static zero_status backward(zero_engine* engine, training const* t, uint32_t id, unsigned char const* from) {
  zero_parameter_lease* weights = NULL;
  zero_status status = zero_engine_gather(engine, &id, 1, &weights);
  if (status != ZERO_OK) return status;
  zero_gradient_lease* gradients = NULL;
  status = zero_engine_gradients(engine, &id, 1, &gradients);
  void* values = NULL;
  size_t count = 0;
  if (status == ZERO_OK) status = zero_gradient_lease_values(gradients, id, &values, &count);
  if (status == ZERO_OK) {
    memcpy(values, from + offset_of(id) * t->element_size, count * t->element_size);
    status = zero_gradient_lease_ready(gradients);
  }
  zero_status const ended = zero_parameter_lease_end(weights);
  return status != ZERO_OK ? status : ended;
}

static zero_status micro_batch(zero_engine* engine, training* t, int step, int number) {
  int64_t index = 0;
  int32_t contributes = 0;
  zero_status status = zero_engine_begin_micro_batch(engine, &index, &contributes);
  for (uint32_t id = 0; status == ZERO_OK && id < model_parameters; ++id) status = forward(engine, t, id, number);
  for (uint32_t id = model_parameters; status == ZERO_OK && id-- > 0;) {
    status = backward(engine, t, id, gradients_of(t, step, index));
  }
  return status != ZERO_OK ? status : zero_engine_finish_micro_batch(engine);
}

static zero_status read_all(zero_engine* engine, training* t, int step, int number) {
  float own[model_elements];
  for (uint32_t id = 0; id < model_parameters; ++id) {
    zero_status status = zero_engine_read_parameter(engine, id, own + offset_of(id), model_sizes[id]);
    if (status != ZERO_OK) return status;
  }
  if (number == 0) memcpy(t->values + (size_t)step * model_elements, own, sizeof own);
  for (uint32_t id = 0; t->states != NULL && id < model_parameters; ++id) {
    zero_status status = zero_engine_read_state(engine, id, 0, own + offset_of(id), model_sizes[id]);
    if (status != ZERO_OK) return status;
  }
  if (number == 0 && t->states != NULL) memcpy(t->states, own, sizeof own);
  return ZERO_OK;
}

static zero_step_options options_of(int step) {
  zero_step_options const options = {.size = sizeof options, .set = ZERO_STEP_LR, .lr = 0.125 / (step + 1)};
  return options;
}

int train_placed(zero_rank* rank, void* context) {
  training* const t = context;
  int32_t number = 0, count = 0;
  RETURN_IF_FAILED(zero_rank_place(rank, &number, &count));
  zero_engine* engine = NULL;
  RETURN_IF_FAILED(make_placed_engine(rank, t, &engine));
  for (int step = 0; step < t->steps; ++step) {
    for (int round = 0; round < t->micro_batches / count; ++round) {
      RETURN_IF_FAILED(micro_batch(engine, t, step, number));
    }
    zero_step_options const options = options_of(step);
    zero_step_report report = {.size = sizeof report};
    RETURN_IF_FAILED(zero_engine_step(engine, &options, &report));
    if (number == 0) t->reports[step] = report;
    RETURN_IF_FAILED(read_all(engine, t, step, number));
  }
  return (int)zero_engine_free(engine);
}

// What the buffers of `train_adopted` hold: of 16-bit types, the first values are what the engine makes of them.
static int train_in(zero_rank* rank, training* t, unsigned char* values, unsigned char* gradients) {
  int32_t number = 0, count = 0;
  RETURN_IF_FAILED(zero_rank_place(rank, &number, &count));
  zero_flat_model const model = {.size = sizeof model,
                                 .type = t->type,
                                 .values = values,
                                 .gradients = gradients,
                                 .sizes = model_sizes,
                                 .tensors = model_parameters,
                                 .names = names};
  zero_engine* engine = NULL;
  RETURN_IF_FAILED(zero_engine_create_flat(rank, &model, t->settings, t->setting_count, &engine));
  for (uint32_t id = 0; id < model_parameters; ++id) {
    RETURN_IF_FAILED(zero_engine_write_parameter(engine, id, t->initial + offset_of(id), model_sizes[id]));
  }
  for (int step = 0; step < t->steps; ++step) {
    int const rounds = t->micro_batches / count;
    for (int round = 0; round < rounds; ++round) {
      // The k-th micro-batch of the step runs on rank k mod count.
      memcpy(gradients, gradients_of(t, step, (int64_t)round * count + number), model_elements * t->element_size);
      if (round + 1 < rounds) RETURN_IF_FAILED(zero_engine_accumulate(engine));
    }
    zero_step_options const options = options_of(step);
    zero_step_report report = {.size = sizeof report};
    RETURN_IF_FAILED(zero_engine_update(engine, &options, &report));
    if (number == 0) t->reports[step] = report;
    RETURN_IF_FAILED(read_all(engine, t, step, number));
  }
  if (number == 0) memcpy(t->gathered, values, model_elements * t->element_size);
  return (int)zero_engine_free(engine);
}

int train_adopted(zero_rank* rank, void* context) {
  training* const t = context;
  unsigned char* const values = calloc(model_elements, t->element_size);
  unsigned char* const gradients = calloc(model_elements, t->element_size);
  int const result = values == NULL || gradients == NULL ? -1 : train_in(rank, t, values, gradients);
  zero_rank_free(rank);  // before the buffers that its engine has adopted
  free(values);
  free(gradients);
  return result;
}
