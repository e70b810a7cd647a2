/* SPDX-FileCopyrightText: 2026 The zero authors */
/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#pragma once

/// \file
/// The engine for everybody who does not write C++: a C11 interface with the symbols of one library, libzero_c, and no
/// others. docs/c.md is its guide.
///
/// **Errors.** Every function that can fail returns a zero_status: ZERO_OK, or what went wrong, with a sentence that
/// zero_last_error() gives to the same thread. No C++ exception leaves the library. Unless a function says otherwise,
/// nothing has changed after an error. Results are written to where the caller points only after success.
///
/// **Handles.** zero_world, zero_rank, zero_parameter_list, zero_engine and the two leases are handles: values to pass
/// on, and no addresses. Each use is checked. A handle that is null, that was freed, that is of another type or of
/// another copy of the library, and any other number, gives an error and is never followed.
///
/// **Ownership.** Who makes a handle frees it. Leases belong to their engine, engines to their rank, ranks to their
/// world: freeing one of them frees all that was made from it, whose handles are then stale. Text and arrays that a
/// caller passes are borrowed until the call returns, unless the function says longer. Text that the library returns
/// is the library's, and lasts as long as the function says.
///
/// **Threads.** Handles may be used on any thread, one call at a time: a second call meanwhile gives
/// ZERO_ERROR_IN_USE, and nothing has happened. A world may be used by several threads at once, and so may a parameter
/// list that is only read. Functions that say *collective* are called by all ranks of a world, in the same order, and
/// wait for each other: ranks of one process are on threads of their own.
///
/// **Structs.** The first member, `size`, is `sizeof` of the struct, so that structs can grow. What else is zero means
/// the default. A struct of the caller's that is larger than the library's, because the program was compiled for a
/// newer one, is taken where the rest is zero; one that is smaller than it was in the first release is refused
/// (ZERO_ERROR_STRUCT_SIZE). Of a struct that the library fills in, as much is written as both know, and the rest is
/// set to zero.

#include <stddef.h>
#include <stdint.h>

#include <zero/version.hpp>

#if defined(__cplusplus)
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* NOLINTBEGIN: names of C */

/* ------------------------------------------------------------------------------------------ errors */

/// What a call returns. Numbers never change; later versions may add some.
typedef enum zero_status {
  ZERO_OK = 0,                     ///< it has done what it says
  ZERO_ERROR_CONFIGURATION = 1,    ///< a setting, a parameter or an argument that cannot work
  ZERO_ERROR_GRADIENT = 2,         ///< a gradient that came too often, not at all, too early, or is frozen
  ZERO_ERROR_LEASE = 3,            ///< a parameter that the lease does not hold, or beyond the live bound
  ZERO_ERROR_SEQUENCE = 4,         ///< a call at the wrong time, such as `finish` before `begin`
  ZERO_ERROR_MISMATCH = 5,         ///< ranks gave different parameters, settings or values
  ZERO_ERROR_LOSS_SCALE = 6,       ///< the loss scale is at its minimum, and gradients overflow
  ZERO_ERROR_DIVERGENCE = 7,       ///< as many steps in a row were skipped as may be
  ZERO_ERROR_POISONED = 8,         ///< the engine failed in the middle of an update: load a checkpoint
  ZERO_ERROR_COMMUNICATION = 9,    ///< a collective did not complete; zero_last_error_info says why
  ZERO_ERROR_CHECKPOINT = 10,      ///< a checkpoint was not written or read; zero_last_error_info says why
  ZERO_ERROR_LIBRARY = 11,         ///< another error of the library's
  ZERO_ERROR_OUT_OF_MEMORY = 12,   ///< memory ran out
  ZERO_ERROR_UNEXPECTED = 13,      ///< an exception that is none of the library's, such as of a thread's creation
  ZERO_ERROR_NULL_HANDLE = 20,     ///< a handle is null
  ZERO_ERROR_STALE_HANDLE = 21,    ///< a handle was freed, or what it was made from
  ZERO_ERROR_FOREIGN_HANDLE = 22,  ///< a handle of another type or another copy of the library, or no handle
  ZERO_ERROR_IN_USE = 23,          ///< another thread is inside a call with the handle
  ZERO_ERROR_ARGUMENT = 24,        ///< a null pointer, a wrong number of elements or an unknown value
  ZERO_ERROR_STRUCT_SIZE = 25,     ///< the size of a struct is that of no release, or asks for what is unknown here
  ZERO_ERROR_RANK_FUNCTION = 26    ///< the function of zero_world_run returned a number that is no zero_status
} zero_status;

/// What ended a collective, of ZERO_ERROR_COMMUNICATION.
typedef enum zero_communication_failure {
  ZERO_COMMUNICATION_NONE = 0,         ///< the error is another one
  ZERO_COMMUNICATION_PEER_FAILED = 1,  ///< another rank failed, or left before this collective
  ZERO_COMMUNICATION_DEADLINE = 2,     ///< another rank did not come in time
  ZERO_COMMUNICATION_MISMATCH = 3,     ///< another rank called another collective
  ZERO_COMMUNICATION_TRANSPORT = 4     ///< what carries the data failed
} zero_communication_failure;

/// Why a checkpoint could not be written or read, of ZERO_ERROR_CHECKPOINT.
typedef enum zero_checkpoint_failure {
  ZERO_CHECKPOINT_NONE = 0,          ///< the error is another one
  ZERO_CHECKPOINT_INPUT_OUTPUT = 1,  ///< the file system refused or failed an operation
  ZERO_CHECKPOINT_NO_SPACE = 2,      ///< the disk or the quota is full
  ZERO_CHECKPOINT_EXISTS = 3,        ///< something of that name is there already
  ZERO_CHECKPOINT_NOT_FOUND = 4,     ///< there is no such checkpoint
  ZERO_CHECKPOINT_DAMAGED = 5,       ///< a file is truncated, altered or malformed
  ZERO_CHECKPOINT_MISMATCH = 6,      ///< a valid file that does not fit this engine
  ZERO_CHECKPOINT_BAD_REQUEST = 7,   ///< a tag, a name or an option that cannot work
  ZERO_CHECKPOINT_LOCKED = 8         ///< another process writes to the folder
} zero_checkpoint_failure;

/// More about the last error of a thread.
typedef struct zero_error_info {
  size_t size;            ///< sizeof(zero_error_info)
  int32_t status;         ///< zero_status: of this thread's last call that failed; ZERO_OK: none has
  int32_t communication;  ///< zero_communication_failure, of ZERO_ERROR_COMMUNICATION
  int32_t checkpoint;     ///< zero_checkpoint_failure, of ZERO_ERROR_CHECKPOINT
  int32_t rank;           ///< of ZERO_ERROR_COMMUNICATION: which failed, is missing or differs; -1
  char const* parameter;  ///< of ZERO_ERROR_GRADIENT: its name; else "". Lasts as zero_last_error()
} zero_error_info;

/// The version of the library that runs, as ZERO_VERSION is that of this header: 100 is 0.1.0.
uint32_t zero_version(void);

/// The sentence of this thread's last call that failed: what was wrong, and what to do. Never null; empty where none
/// has failed on this thread. Calls that succeed leave it as it is. Valid until this thread's next call that fails.
char const* zero_last_error(void);

/// The status of this thread's last call that failed; ZERO_OK where none has.
zero_status zero_last_status(void);

/// More about the same. \p info: filled in.
zero_status zero_last_error_info(zero_error_info* info);

/// The name of \p status as this header spells it; "unknown" for a number that it has not. Lasts for ever.
char const* zero_status_name(int32_t status);

/* ------------------------------------------------------------------------------------------ ranks */

/// Ranks that train together, as threads of this process. May be used by several threads at once.
typedef struct zero_world zero_world;

/// One rank of a world: what a thread makes its engines with.
typedef struct zero_rank zero_rank;

/// How ranks work together.
typedef struct zero_world_options {
  size_t size;              ///< sizeof(zero_world_options)
  double deadline_seconds;  ///< of every wait for another rank; 0: 600
} zero_world_options;

/// What zero_world_run calls on each rank. \p rank is freed when it returns, with all that was made from it. Returns 0
/// (ZERO_OK), or what went wrong: a zero_status, or a number of the caller's own.
typedef int (*zero_rank_function)(zero_rank* rank, void* context);

/// Calls \p function(rank, \p context) on \p ranks threads, the caller's among them, one rank each, and waits for all
/// of them. Where one returns another number than 0, the others' collectives end with ZERO_ERROR_COMMUNICATION at once.
/// \p ranks: 1 to 256. \p options: null for the defaults. \p context: handed on, may be null. Returns ZERO_OK, or what
/// the first rank returned that failed: a zero_status, whose sentence is that rank's, or ZERO_ERROR_RANK_FUNCTION.
zero_status zero_world_run(int32_t ranks, zero_world_options const* options, zero_rank_function function,
                           void* context);

/// The same in parts, for threads of the caller's own: a world of \p ranks ranks, each of which one thread takes by
/// zero_world_take_rank. \p world: the caller's to free.
zero_status zero_world_create(int32_t ranks, zero_world_options const* options, zero_world** world);

/// Takes rank number \p number, from 0, which nobody has taken before. \p rank: freed with its world, or before by
/// zero_rank_free.
zero_status zero_world_take_rank(zero_world* world, int32_t number, zero_rank** rank);

/// Frees a world, its ranks, their engines and leases, once no thread is inside a call with one of them
/// (ZERO_ERROR_IN_USE).
zero_status zero_world_free(zero_world* world);

/// The one rank of a world of its own: training without other ranks. \p rank: the caller's to free.
zero_status zero_rank_create(zero_rank** rank);

/// Which rank it is, from 0, and of how many. Each of \p number and \p count may be null.
zero_status zero_rank_place(zero_rank const* rank, int32_t* number, int32_t* count);

/// Says that this rank cannot go on, for \p reason, which others read in their errors: their collectives end with
/// ZERO_ERROR_COMMUNICATION at once, now and later. May be called while other ranks wait.
zero_status zero_rank_fail(zero_rank* rank, char const* reason);

/// Frees a rank, its engines and their leases. It leaves its world: others that wait for it get
/// ZERO_ERROR_COMMUNICATION.
zero_status zero_rank_free(zero_rank* rank);

/* ------------------------------------------------------------------------------------------ parameters */

/// Types of parameters and gradients.
typedef enum zero_type {
  ZERO_FP32 = 0,  ///< float
  ZERO_FP16 = 1,  ///< IEEE 754 binary16, by its bits
  ZERO_BF16 = 2   ///< bfloat16: the upper half of a float, by its bits
} zero_type;

/// The parameters of a model, in the order of its forward pass.
typedef struct zero_parameter_list zero_parameter_list;

/// What a group of parameters may change.
typedef enum zero_group_flag {
  ZERO_GROUP_LR_FACTOR = 1,    ///< `lr_factor` counts
  ZERO_GROUP_WEIGHT_DECAY = 2  ///< `weight_decay` counts
} zero_group_flag;

/// What a group of parameters changes in the rule's settings.
typedef struct zero_parameter_group {
  size_t size;          ///< sizeof(zero_parameter_group)
  uint32_t set;         ///< zero_group_flag, added: which members count
  double lr_factor;     ///< multiplies the learning rate of every step
  double weight_decay;  ///< replaces the rule's own
} zero_parameter_group;

/// Flags of a zero_parameter_spec.
typedef enum zero_parameter_flag {
  ZERO_PARAMETER_FROZEN = 1,     ///< has no gradient and never changes
  ZERO_PARAMETER_PERSISTENT = 2  ///< stage 3: stays whole on every rank, at one address
} zero_parameter_flag;

/// A parameter. Buffers that are given are adopted: they stay the caller's, and calls of the engine copy from and to
/// them, so that they may go after its last call. Those that are not are placed in the engine's memory.
typedef struct zero_parameter_spec {
  size_t size;             ///< sizeof(zero_parameter_spec)
  char const* name;        ///< unique and not empty
  size_t const* shape;     ///< sizes of the dimensions, row-major; none is 0
  size_t dimensions;       ///< how many `shape` has; 0: one element
  uint32_t group;          ///< from zero_parameter_list_add_group; 0: the one that changes nothing
  uint32_t contributions;  ///< gradients per micro-batch: 2 for a tied embedding that is handed over twice; 0: 1
  uint32_t unit;           ///< layer: what stage 3 gathers together; in forward order from 0
  uint32_t flags;          ///< zero_parameter_flag, added
  int32_t type;            ///< zero_type, of the two buffers; the engine's type
  void* values;            ///< adopted; null: placed, as stage 3 wants it
  void* gradients;         ///< adopted; null: placed
  float const* initial;    ///< first values, the same on every rank, borrowed until the engine is made; null: those of
                           ///< `values`, or 0
} zero_parameter_spec;

/// A model whose tensors lie one after another, without gaps, in one buffer for values and one for gradients.
typedef struct zero_flat_model {
  size_t size;                      ///< sizeof(zero_flat_model)
  int32_t type;                     ///< zero_type, of both buffers; the engine's type
  void* values;                     ///< adopted; null: placed, with `initial`
  void* gradients;                  ///< adopted; null: placed, where `values` is null too
  size_t const* sizes;              ///< elements of each tensor
  size_t tensors;                   ///< how many there are
  float const* initial;             ///< first values of placed tensors, borrowed until the engine is made
  char const* const* names;         ///< of each tensor, unique; null: tensor_0, tensor_1, ...
  size_t const* layers;             ///< how many layers each tensor stacks, slice after slice; null or 0: none. Each
                                    ///< slice is a parameter, `name.0`, `name.1`, ..., and each layer a unit
  uint32_t const* groups;           ///< of each tensor; null: 0
  unsigned char const* persistent;  ///< of each tensor: 1 as ZERO_PARAMETER_PERSISTENT; null: 0
} zero_flat_model;

/// An empty list. \p list: the caller's to free; engines do not need it any more once they are made.
zero_status zero_parameter_list_create(zero_parameter_list** list);

/// Adds a group. \p index: what parameters name it by.
zero_status zero_parameter_list_add_group(zero_parameter_list* list, zero_parameter_group const* group,
                                          uint32_t* index);

/// Adds a parameter. \p id: its number, by registration from 0; may be null.
zero_status zero_parameter_list_add(zero_parameter_list* list, zero_parameter_spec const* spec, uint32_t* id);

/// Adds all tensors of \p model, with units from 0: one for each layer, and one for what lies before, between and
/// behind stacked tensors. After an error some may be in the list.
zero_status zero_parameter_list_add_flat(zero_parameter_list* list, zero_flat_model const* model);

/// How many parameters there are. \p count: how many.
zero_status zero_parameter_list_count(zero_parameter_list const* list, size_t* count);

/// The number of the parameter called \p name. ZERO_ERROR_CONFIGURATION where there is none.
zero_status zero_parameter_list_find(zero_parameter_list const* list, char const* name, uint32_t* id);

/// The parameters of unit \p unit, by registration. \p ids: room for \p capacity numbers; null where that is 0.
/// \p count: how many there are, also where that is more than \p capacity, of which the first are written then.
zero_status zero_parameter_list_unit(zero_parameter_list const* list, uint32_t unit, uint32_t* ids, size_t capacity,
                                     size_t* count);

/// Frees a list.
zero_status zero_parameter_list_free(zero_parameter_list* list);

/* ------------------------------------------------------------------------------------------ engines */

/// Sharded optimization of one model on one rank.
typedef struct zero_engine zero_engine;

/// A setting by its name: a text, or a number where \p text is null. This struct has no size, and never grows.
///
/// | name | value |
/// | --- | --- |
/// | `json`, `json_file` | DeepSpeed's configuration, as a text or by its path; what other settings say replaces it |
/// | `stage` | 0 to 3; default 0 |
/// | `rule` | AdamW (default), Adam, SGD, Lion, Adagrad |
/// | `type` | fp32 (default), fp16, bf16: of parameters and gradients |
/// | `lr`, `weight_decay` | of the rule |
/// | `beta1`, `beta2`, `eps`, `momentum`, `dampening`, `nesterov`, `lr_decay` | of rules that have it |
/// | `loss_scale` | dynamic, none, or a fixed scale; default: dynamic for fp16, else none |
/// | `loss_scale_initial`, `_factor`, `_minimum`, `_window`, `_hysteresis`, `_consecutive_hysteresis` | of dynamic |
/// | `loss_scale_at_minimum` | of dynamic: fail (default), skip |
/// | `offload` | none (default), cpu: states and the update in host memory |
/// | `offload_chunk_elements`, `offload_staging_chunks`, `offload_device_share`, `offload_delayed_update` | of cpu |
/// | `threads` | of this rank's engine; 0 (default): the cores that it may use, divided by the ranks |
/// | `reduce` | each_micro_batch, once_per_step |
/// | `missing_gradient` | error (default), zero |
/// | `gradient_accumulation_steps`, `micro_batches_per_step`, `allow_idle_ranks` | as zero::EngineConfig has them |
/// | `gradient_clipping`, `max_skipped_steps` | the same |
/// | `bucket_elements`, `alignment_elements`, `gradient_ring` | the same |
/// | `max_live_elements`, `prefetch_units`, `persistence_threshold` | the same, of stage 3 |
typedef struct zero_setting {
  char const* name;  ///< as above
  char const* text;  ///< the value; a number and a flag (true, false) may be written, too; null: `number`
  double number;     ///< the value where `text` is null; flags are 0 or 1
} zero_setting;

/// What a step may change.
typedef enum zero_step_flag {
  ZERO_STEP_LR = 1,                 ///< `lr` counts
  ZERO_STEP_GRADIENT_CLIPPING = 2,  ///< `gradient_clipping` counts
  ZERO_STEP_MOMENTUM = 4,           ///< `momentum` counts
  ZERO_STEP_BETA2 = 8               ///< `beta2` counts
} zero_step_flag;

/// What changes from step to step. The same on every rank.
typedef struct zero_step_options {
  size_t size;               ///< sizeof(zero_step_options)
  uint32_t set;              ///< zero_step_flag, added: which members count; the others are the settings', or those of
                             ///< the schedule that `json` has
  double lr;                 ///< learning rate
  double gradient_clipping;  ///< largest norm of the averaged gradient; 0: no clipping
  double momentum;           ///< beta1 of AdamW, Adam and Lion, momentum of SGD
  double beta2;              ///< of AdamW, Adam and Lion
} zero_step_options;

/// What became of a step.
typedef struct zero_step_report {
  size_t size;                ///< sizeof(zero_step_report)
  uint64_t step;              ///< updates done, this one included if it was not skipped
  uint64_t skipped_steps;     ///< in all
  uint64_t skipped_in_row;    ///< up to this one; 0 where it was not skipped
  uint64_t zero_norm_steps;   ///< in a row, whose norm was exactly 0: nothing reaches the engine
  double gradient_norm;       ///< of the unscaled averaged gradient
  double clip_coefficient;    ///< what clipping multiplied the gradient with
  double lr;                  ///< the learning rate that the step was given
  float loss_scale;           ///< the scale that backward used
  int32_t skipped;            ///< 1: a gradient was not finite, and nothing changed but the loss scale
  int32_t at_minimum_scale;   ///< 1: overflow with the scale at its minimum
  char const* bad_parameter;  ///< the first parameter with a gradient that is not finite; null: none. Lasts as long as
                              ///< the engine
} zero_step_report;

/// What an engine is, and where its run stands.
typedef struct zero_engine_info {
  size_t size;               ///< sizeof(zero_engine_info)
  int32_t rank;              ///< of this engine, from 0
  int32_t ranks;             ///< of its world
  int32_t stage;             ///< 0 to 3
  int32_t type;              ///< zero_type, of parameters and gradients
  char const* rule;          ///< name of the rule; lasts as long as the engine
  size_t states;             ///< states of each parameter that the rule has
  size_t parameters;         ///< how many there are
  uint64_t micro_batches;    ///< of a step, on each rank: how often zero_engine_begin_micro_batch is called
  uint64_t sequences;        ///< of a micro-batch, where `json` says it; 0: it does not
  uint64_t steps_per_print;  ///< where `json` says it, for the caller's own lines; 0: it does not
  uint64_t steps;            ///< updates done
  uint64_t skipped_steps;    ///< steps skipped for a gradient that is not finite
  uint64_t skipped_in_row;   ///< the last steps, as far as all of them were skipped
  double lr;                 ///< learning rate of the coming step, where the step is given none
  float loss_scale;          ///< for the coming backward passes
} zero_engine_info;

/// Lays a model out and takes its initial values; those of placed parameters without are 0. \p settings: \p count of
/// them, the same on every rank; null where that is 0. \p engine: freed with its rank, or before by zero_engine_free.
/// Collective.
zero_status zero_engine_create(zero_rank* rank, zero_parameter_list const* list, zero_setting const* settings,
                               size_t count, zero_engine** engine);

/// The same of one flat model and nothing else: a parameter list with zero_parameter_list_add_flat. Collective.
zero_status zero_engine_create_flat(zero_rank* rank, zero_flat_model const* model, zero_setting const* settings,
                                    size_t count, zero_engine** engine);

/// Frees an engine and its leases. Not collective.
zero_status zero_engine_free(zero_engine* engine);

/// What it is, and where the run stands. \p info: filled in. Waits until the last step has been decided.
zero_status zero_engine_get_info(zero_engine* engine, zero_engine_info* info);

/// The number of the parameter called \p name. ZERO_ERROR_CONFIGURATION where there is none.
zero_status zero_engine_find(zero_engine* engine, char const* name, uint32_t* id);

/// Name and elements of parameter number \p id. Each of \p name, which lasts as long as the engine, and \p count may be
/// null.
zero_status zero_engine_parameter(zero_engine* engine, uint32_t id, char const** name, size_t* count);

/* ------------------------------------------------------------------------------------------ steps */

/// One micro-batch of a model whose gradients are all adopted, which have been written: for each micro-batch of a step
/// but the last, whose is zero_engine_update. The caller may write the buffers again. Stages 0 to 2. Collective.
zero_status zero_engine_accumulate(zero_engine* engine);

/// The same for the last micro-batch of a step, and the step: new parameters are in adopted buffers. \p options: null
/// for the settings' own. \p report: filled in; may be null. Stages 0 to 2. Collective. ZERO_ERROR_LOSS_SCALE and
/// ZERO_ERROR_DIVERGENCE are of a step that has been taken, and skipped.
zero_status zero_engine_update(zero_engine* engine, zero_step_options const* options, zero_step_report* report);

/// Opens the next micro-batch of the step. \p index: its place in the step's sequence over all ranks, from 0, which
/// data and random numbers should depend on; may be null. \p contributes: 0 where this rank has none in this round; may
/// be null.
zero_status zero_engine_begin_micro_batch(zero_engine* engine, int64_t* index, int32_t* contributes);

/// Ends it: all gradients have been handed over. Collective. ZERO_ERROR_GRADIENT for one that is missing: the
/// micro-batch is broken then, and zero_engine_discard_gradients on every rank goes on.
zero_status zero_engine_finish_micro_batch(zero_engine* engine);

/// Gives up the micro-batches since the last step, and the one that is open, after an error in one of them. Every rank
/// must do so.
zero_status zero_engine_discard_gradients(zero_engine* engine);

/// Updates the parameters from the gradients of this step's micro-batches, with no lease held. \p options and \p report
/// as in zero_engine_update. Collective.
zero_status zero_engine_step(zero_engine* engine, zero_step_options const* options, zero_step_report* report);

/// What the loss, or its gradient, is to be multiplied with in this step's backward passes: 1 without loss scaling.
zero_status zero_engine_loss_scale(zero_engine* engine, float* scale);

/// Publishes the update that is under way with the setting `offload_delayed_update`; else does nothing. Collective.
zero_status zero_engine_finish_update(zero_engine* engine);

/* ------------------------------------------------------------------------------------------ leases */

/// Parameters that are whole and may be read until it ends.
typedef struct zero_parameter_lease zero_parameter_lease;

/// Places for the gradients of some parameters.
typedef struct zero_gradient_lease zero_gradient_lease;

/// Makes \p count parameters whole until the lease ends, at stage 3 by collectives. \p lease: the caller's to end.
/// Collective at stage 3.
zero_status zero_engine_gather(zero_engine* engine, uint32_t const* ids, size_t count, zero_parameter_lease** lease);

/// Where the values of parameter \p id lie, row-major, in the engine's type. They are for reading: what is written
/// there is lost. \p count: elements; may be null. Valid until the lease ends; at stages 0 to 2, and for persistent
/// parameters, as long as the engine.
zero_status zero_parameter_lease_values(zero_parameter_lease* lease, uint32_t id, void const** values, size_t* count);

/// Ends the lease.
zero_status zero_parameter_lease_end(zero_parameter_lease* lease);

/// Places for the gradients of \p count parameters, inside of a micro-batch. \p lease: the caller's to hand over by
/// zero_gradient_lease_ready, or to end.
zero_status zero_engine_gradients(zero_engine* engine, uint32_t const* ids, size_t count, zero_gradient_lease** lease);

/// Where to add the gradient of parameter \p id, row-major, in the engine's type: zeroed where nothing is there yet.
/// \p count: elements; may be null.
zero_status zero_gradient_lease_values(zero_gradient_lease* lease, uint32_t id, void** values, size_t* count);

/// The same without zeroing. \p adds: 1: add to what is there; 0: overwrite, what is there is undefined.
zero_status zero_gradient_lease_target(zero_gradient_lease* lease, uint32_t id, void** values, size_t* count,
                                       int32_t* adds);

/// Says that the gradients of \p count parameters are written at addresses that the caller has kept from an earlier
/// lease, before they are. Stages 0 and 1.
zero_status zero_gradient_lease_written(zero_gradient_lease* lease, uint32_t const* ids, size_t count);

/// Hands over the gradients that were written: whose address was asked for, that are adopted, or that
/// zero_gradient_lease_written named. Ends the lease, also where handing over fails. Collective: all ranks hand over
/// in the same order.
zero_status zero_gradient_lease_ready(zero_gradient_lease* lease);

/// Ends the lease without handing over: its gradients are missing.
zero_status zero_gradient_lease_end(zero_gradient_lease* lease);

/* ------------------------------------------------------------------------------------------ values */

/// Reads parameter \p id whole, in fp32: the master value where there is one. \p values: room for \p count elements,
/// which is as many as it has. Collective.
zero_status zero_engine_read_parameter(zero_engine* engine, uint32_t id, float* values, size_t count);

/// Sets parameter \p id on all ranks, which pass the same \p count values. Collective.
zero_status zero_engine_write_parameter(zero_engine* engine, uint32_t id, float const* values, size_t count);

/// Reads the unscaled averaged gradient of the coming step, before clipping, after its last micro-batch. Collective.
zero_status zero_engine_read_gradient(zero_engine* engine, uint32_t id, float* values, size_t count);

/// Replaces it by values that are the same on all ranks. Collective.
zero_status zero_engine_write_gradient(zero_engine* engine, uint32_t id, float const* values, size_t count);

/// Reads the rule's state number \p state, from 0, of parameter \p id. Collective.
zero_status zero_engine_read_state(zero_engine* engine, uint32_t id, size_t state, float* values, size_t count);

/// Sets it to values that are the same on all ranks. Collective.
zero_status zero_engine_write_state(zero_engine* engine, uint32_t id, size_t state, float const* values, size_t count);

/// Takes the values of all adopted buffers in again, which the caller has written since the engine was made. Optimizer
/// states stay. Collective.
zero_status zero_engine_take_adopted_values(zero_engine* engine);

/// The mean of \p value over the ranks by \p weight, such as 1, or samples: the same bits on every rank. Collective.
zero_status zero_engine_mean_over_ranks(zero_engine* engine, double value, double weight, double* mean);

/// Sets \p count elements of \p element_size bytes each at \p data on all ranks to those of rank \p root, bit by bit:
/// tensors that are no parameters. Collective.
zero_status zero_engine_broadcast(zero_engine* engine, void* data, size_t count, size_t element_size, int32_t root);

/* ------------------------------------------------------------------------------------------ reports */

/// Bytes of one engine on one rank.
typedef struct zero_memory_report {
  size_t size;                ///< sizeof(zero_memory_report)
  uint64_t total;             ///< all of what follows
  uint64_t parameters;        ///< in the engine's type: whole, or this rank's shard at stage 3
  uint64_t gathered;          ///< gathered parameters of stage 3
  uint64_t gradients;         ///< whole at stages 0 and 1, the ring of buckets at stages 2 and 3
  uint64_t gradient_slots;    ///< gradients that cannot share the ring
  uint64_t gradient_sums;     ///< reduced gradients
  uint64_t local_sums;        ///< this rank's sums over micro-batches
  uint64_t master;            ///< fp32 parameters beside a narrower or offloaded copy
  uint64_t optimizer_states;  ///< the rule's states
  uint64_t staging;           ///< offload's chunks, and what is received before it is added
  uint64_t control;           ///< norm, decision, settings and reports of steps
} zero_memory_report;

/// What one rank has sent, in elements.
typedef struct zero_traffic {
  size_t size;             ///< sizeof(zero_traffic)
  uint64_t gradients;      ///< reduce-scatters of gradients
  uint64_t gradient_sums;  ///< stage 0: all-gathers of reduced gradients
  uint64_t parameters;     ///< all-gathers after the update
  uint64_t gathered;       ///< stage 3: gathers inside micro-batches
  uint64_t evaluation;     ///< stage 3: gathers outside of micro-batches
  uint64_t access;         ///< parameters, gradients and states that were read
  uint64_t control_words;  ///< 64-bit words of the norm's all-reduces
  uint64_t collectives;    ///< calls
} zero_traffic;

/// What its memory is for. \p report: filled in.
zero_status zero_engine_memory(zero_engine* engine, zero_memory_report* report);

/// What it has sent since it was made. \p traffic: filled in.
zero_status zero_engine_traffic(zero_engine* engine, zero_traffic* traffic);

/* ------------------------------------------------------------------------------------------ checkpoints */

/// One text of the caller's own in a checkpoint, under a key. This struct has no size, and never grows.
typedef struct zero_client_text {
  char const* key;   ///< unique
  char const* text;  ///< its value
} zero_client_text;

/// Flags of zero_save_options.
typedef enum zero_save_flag {
  ZERO_SAVE_PARAMETERS_ONLY = 1,  ///< leave the rule's states out
  ZERO_SAVE_REPLACE = 2           ///< take the place of a checkpoint of the same tag
} zero_save_flag;

/// How a checkpoint is saved. The same on every rank.
typedef struct zero_save_options {
  size_t size;                           ///< sizeof(zero_save_options)
  char const* tag;                       ///< the checkpoint's name in its folder, such as step-100
  uint32_t flags;                        ///< zero_save_flag, added
  uint32_t keep;                         ///< keep the newest so many; 0: all
  zero_client_text const* client_state;  ///< of the caller's own, which zero_engine_client_state finds again; rank 0's
  size_t client_states;                  ///< how many there are
  char const* const* aliases;            ///< `best`, `final`: let these name it too
  size_t alias_count;                    ///< how many there are
} zero_save_options;

/// What a save has done.
typedef struct zero_save_report {
  size_t size;           ///< sizeof(zero_save_report)
  uint64_t steps;        ///< updates done
  uint64_t bytes;        ///< of all files of all ranks, without the manifest
  char const* warnings;  ///< what went wrong once the checkpoint was safe, a line each; "" where nothing did. Lasts
                         ///< until the engine's next save
} zero_save_report;

/// Flags of zero_load_options.
typedef enum zero_load_flag {
  ZERO_LOAD_PARAMETERS_ONLY = 1,  ///< states, step counts and loss scale stay as they are
  ZERO_LOAD_ALLOW_MISSING = 2,    ///< parameters that the checkpoint lacks stay as they are
  ZERO_LOAD_ALLOW_EXTRA = 4       ///< what the engine lacks is skipped
} zero_load_flag;

/// What is loaded, and how exactly it must fit. The same on every rank.
typedef struct zero_load_options {
  size_t size;      ///< sizeof(zero_load_options)
  char const* tag;  ///< which checkpoint; null: the newest valid one
  uint32_t flags;   ///< zero_load_flag, added
} zero_load_options;

/// What a load has done. Texts last until the engine's next load.
typedef struct zero_load_report {
  size_t size;                  ///< sizeof(zero_load_report)
  int32_t found;                ///< 0: zero_engine_resume found no checkpoint, and nothing has changed
  int32_t has_optimizer_state;  ///< 1: with states, step counts and loss scale
  uint64_t steps;               ///< updates that the checkpoint's run had done
  uint64_t parameters;          ///< how many were set
  uint64_t bytes_read;          ///< by this rank
  char const* tag;              ///< name of the checkpoint
  char const* missing;          ///< parameters that were not there, a line each; "": none
  char const* extra;            ///< parameters of the checkpoint that the engine has not, a line each; "": none
  char const* skipped;          ///< newer checkpoints that could not be read, and why, a line each; "": none
} zero_load_report;

/// Saves a checkpoint into \p folder and waits until it is durable: whole, or after an error not at all. Between two
/// steps. \p report: filled in; may be null. Collective.
zero_status zero_engine_save(zero_engine* engine, char const* folder, zero_save_options const* options,
                             zero_save_report* report);

/// Sets the engine to a checkpoint in \p folder, whatever number of ranks, stage and offload it was saved from.
/// \p options: null for the newest. \p report: filled in; may be null. After ZERO_CHECKPOINT_DAMAGED that shows only in
/// the data the engine is poisoned until another load succeeds. Collective.
zero_status zero_engine_load(zero_engine* engine, char const* folder, zero_load_options const* options,
                             zero_load_report* report);

/// The same where \p folder has a checkpoint; where it has none, or is not there, nothing happens and `found` is 0: how
/// a run that may be started again begins. Collective.
zero_status zero_engine_resume(zero_engine* engine, char const* folder, zero_load_options const* options,
                               zero_load_report* report);

/// The caller's own text that the checkpoint which was loaded last holds under \p key. \p text: it; null where there is
/// none. Lasts until the engine's next load.
zero_status zero_engine_client_state(zero_engine* engine, char const* key, char const** text);

/* NOLINTEND */

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#if defined(__cplusplus)
}
#endif
