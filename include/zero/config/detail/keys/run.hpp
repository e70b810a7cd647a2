// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>

#include <array>

namespace zero::config::detail {

inline constexpr std::uint64_t most_sequences = (std::uint64_t{1} << 31U) - 1;

/// A step's batch, clipping, and what a run says of itself.
inline constexpr std::array run_keys{
    applied(
        "train_batch_size", Shape::whole, "sequences of a step, over all ranks",
        [](RawSettings& raw, Entry const& e) {
          if (e.is_auto()) return void(raw.batch.train_batch_size = raw.automatic.train_batch_size);
          raw.batch.train_batch_size = e.whole(1, most_sequences);
        },
        "llm.c: `-d` (tokens)"),
    applied(
        "train_micro_batch_size_per_gpu", Shape::whole, "sequences of a micro-batch, on one rank",
        [](RawSettings& raw, Entry const& e) {
          raw.batch.train_micro_batch_size_per_gpu =
              e.is_auto() ? e.automatic(raw.automatic.train_micro_batch_size_per_gpu) : e.whole(1, most_sequences);
        },
        "nanoGPT: `batch_size`; llm.c: `-b`"),
    applied(
        "gradient_accumulation_steps", Shape::whole, "micro-batches of a step, on each rank",
        [](RawSettings& raw, Entry const& e) {
          raw.batch.gradient_accumulation_steps =
              e.is_auto() ? e.automatic(raw.automatic.gradient_accumulation_steps) : e.whole(1, most_sequences);
        },
        "nanoGPT: `gradient_accumulation_steps` (of all ranks)", "null"),
    applied("micro_batches_per_step", Shape::whole,
            "micro-batches of a step, over all ranks, in place of `gradient_accumulation_steps`; the ranks need not "
            "divide them. Not DeepSpeed's",
            [](RawSettings& raw, Entry const& e) { raw.batch.micro_batches_per_step = e.whole(1, most_sequences); }),
    applied(
        "gradient_clipping", Shape::number, "largest norm of the averaged gradient; 0: no clipping; absent: 1",
        [](RawSettings& raw, Entry const& e) {
          raw.gradient_clipping = e.is_auto() ? e.automatic(raw.automatic.gradient_clipping) : e.not_negative();
        },
        "nanoGPT: `grad_clip`"),
    applied(
        "steps_per_print", Shape::whole, "steps between two lines of the run",
        [](RawSettings& raw, Entry const& e) {
          if (!e.is_auto()) raw.steps_per_print = e.whole(1, std::uint64_t{1} << 40U);
        },
        "nanoGPT: `log_interval`", "null"),
    applied("wall_clock_breakdown", Shape::boolean, "says where the time of each step goes",
            [](RawSettings& raw, Entry const& e) { raw.wall_clock_breakdown = e.flag(); }),
    applied("memory_breakdown", Shape::boolean, "says what memory is for, at the points of a step",
            [](RawSettings& raw, Entry const& e) { raw.memory_breakdown = e.flag(); }),
    section("cuda_graph", "steps by captured graphs. Not DeepSpeed's of training"),
    applied("cuda_graph.enabled", Shape::boolean, "captures a step once, and launches it as a whole from then on",
            [](RawSettings& raw, Entry const& e) { raw.captures_steps = e.flag(); }),
    section("activation_checkpointing",
            "turned on by being there: the backward pass computes blocks again from their inputs, with the same bits",
            [](RawSettings& raw, Entry const& e) {
              raw.recomputation.emplace();
              raw.notes.push_back(
                  {e.key(), "the backward pass computes blocks again from their inputs, with the same bits"});
            }),
    applied(
        "activation_checkpointing.number_checkpoints", Shape::whole,
        "inputs of blocks that are kept; what lies between two of them is computed again together; absent: that of "
        "each block but the last",
        [](RawSettings& raw, Entry const& e) { raw.recomputation->kept_inputs = e.whole(1, most_sequences); }, {},
        "null"),
    applied("activation_checkpointing.cpu_checkpointing", Shape::boolean,
            "kept inputs go to pinned host memory, and come back one ahead of the backward pass",
            [](RawSettings& raw, Entry const& e) { raw.recomputation->inputs_in_host_memory = e.flag(); }),
    refused("activation_checkpointing.partition_activations",
            "it needs tensor parallelism, whose ranks hold the same input, and which there is not: write false"),
    always("activation_checkpointing.contiguous_memory_optimization", Shape::boolean,
           "all buffers of activations are allocated once, before the first step"),
    always("activation_checkpointing.synchronize_checkpoint_boundary", Shape::boolean,
           "streams wait for each other by events, and nothing needs to wait for a device"),
    applied("activation_checkpointing.profile", Shape::boolean,
            "turns `wall_clock_breakdown` on, which says what the backward pass takes",
            [](RawSettings& raw, Entry const& e) { raw.profiles_recomputation = e.flag(); }),
    section("comms_logger", "counts, bytes and times of collectives"),
    applied("comms_logger.enabled", Shape::boolean, "turns it on",
            [](RawSettings& raw, Entry const& e) { raw.logs_communication = e.flag(); }),
    applied("comms_logger.prof_all", Shape::boolean, "all collectives; false: those of `prof_ops`",
            [](RawSettings& raw, Entry const& e) { raw.logs_all_operations = e.flag(); }),
    applied("comms_logger.prof_ops", Shape::list, "names of the collectives to log, where `prof_all` is false",
            [](RawSettings& raw, Entry const& e) {
              for (std::size_t k = 0; k < e.list(); ++k) raw.logged_operations.push_back(e.element(k).string());
            }),
    always("comms_logger.verbose", Shape::boolean, "the log has a row for each collective and size, at the end"),
    always("comms_logger.debug", Shape::boolean, "collectives have the names that the engine gives them"),
    section("tensorboard", "curves for TensorBoard"),
    applied("tensorboard.enabled", Shape::boolean, "turns it on",
            [](RawSettings& raw, Entry const& e) { raw.tensorboard.enabled = e.flag(); }),
    applied(
        "tensorboard.output_path", Shape::text, "the folder that job folders are in",
        [](RawSettings& raw, Entry const& e) { raw.tensorboard.output_path = e.of_text(); }, {}, "null"),
    applied("tensorboard.job_name", Shape::text, "the run's name, and its folder's in `output_path`",
            [](RawSettings& raw, Entry const& e) { raw.tensorboard.job_name = e.of_text(); }),
    section("csv_monitor", "curves as files of comma-separated values"),
    applied("csv_monitor.enabled", Shape::boolean, "turns it on",
            [](RawSettings& raw, Entry const& e) { raw.csv.enabled = e.flag(); }),
    applied(
        "csv_monitor.output_path", Shape::text, "the folder that job folders are in",
        [](RawSettings& raw, Entry const& e) { raw.csv.output_path = e.of_text(); }, {}, "null"),
    applied("csv_monitor.job_name", Shape::text, "the run's name, and its folder's in `output_path`",
            [](RawSettings& raw, Entry const& e) { raw.csv.job_name = e.of_text(); }),
    refused("wandb", "this library talks to no service: write \"tensorboard\" and import its folder with `wandb sync`"),
    of_its_section("wandb.enabled", Shape::boolean),
    of_its_section("wandb.group", Shape::text),
    of_its_section("wandb.team", Shape::text),
    of_its_section("wandb.project", Shape::text),
    refused("comet", "this library talks to no service: write \"tensorboard\" or \"csv_monitor\""),
    of_its_section("comet.enabled", Shape::boolean),
    of_its_section("comet.samples_log_interval", Shape::whole),
    of_its_section("comet.project", Shape::text),
    of_its_section("comet.workspace", Shape::text),
    of_its_section("comet.api_key", Shape::text),
    of_its_section("comet.experiment_name", Shape::text),
    of_its_section("comet.experiment_key", Shape::text),
    of_its_section("comet.online", Shape::boolean),
    of_its_section("comet.mode", Shape::text),
    refused("flops_profiler", "there is no module to look into: \"wall_clock_breakdown\" says where time goes"),
    of_its_section("flops_profiler.enabled", Shape::boolean),
    of_its_section("flops_profiler.recompute_fwd_factor", Shape::number),
    of_its_section("flops_profiler.profile_step", Shape::whole),
    of_its_section("flops_profiler.module_depth", Shape::integer),
    of_its_section("flops_profiler.top_modules", Shape::whole),
    of_its_section("flops_profiler.detailed", Shape::boolean),
    of_its_section("flops_profiler.output_file", Shape::text),
    always("dump_state", Shape::boolean, "a run prints its settings as they were understood"),
    always("vocabulary_size", Shape::whole, "the vocabulary is that of the data, and is not aligned"),
    section("timers", "of DeepSpeed's own"),
    section("timers.throughput", "tokens per second"),
    always("timers.throughput.enabled", Shape::boolean, "the throughput of each step is measured"),
    always("timers.throughput.synchronized", Shape::boolean, "no measurement waits for a device"),
    always("disable_python_gc", Shape::boolean, "there is no garbage collector"),
    always("dataloader_drop_last", Shape::boolean, "the last batch of the data is the trainer's to form"),
};

}  // namespace zero::config::detail
