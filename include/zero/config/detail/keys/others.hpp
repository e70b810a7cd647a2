// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>

#include <array>

namespace zero::config::detail {

/// Checkpoints, and what of DeepSpeed does not exist here.
inline constexpr std::array other_keys{
    section("checkpoint", "checkpoints"),
    always("checkpoint.tag_validation", Shape::text, "ranks compare tags at every save, and a difference is an error",
           "\"Warn\"|\"Ignore\"|\"Fail\"|\"WARN\"|\"IGNORE\"|\"FAIL\"|\"warn\"|\"ignore\"|\"fail\""),
    always("checkpoint.load_universal", Shape::boolean, "every checkpoint fits any number of ranks"),
    always("checkpoint.checkpoint_serialization", Shape::boolean, "checkpoints are safetensors and a manifest"),
    section("checkpoint.parallel_write", "who writes checkpoints"),
    always("checkpoint.parallel_write.pipeline_stage", Shape::boolean, "every rank writes its own part"),
    always("checkpoint.writer", Shape::any, "checkpoints are written in the background, by the library's own writer"),
    of_its_section("checkpoint.writer.type", Shape::text),
    of_its_section("checkpoint.writer.io_buffer_size", Shape::whole),
    of_its_section("checkpoint.writer.io_buffer_double", Shape::boolean),
    of_its_section("checkpoint.writer.io_multiplier", Shape::whole),
    of_its_section("checkpoint.writer.show_statistics", Shape::boolean),
    of_its_section("checkpoint.writer.data_parallel", Shape::text),
    of_its_section("checkpoint.writer.decoupled", Shape::boolean),
    refused("checkpoint.use_node_local_storage", "a checkpoint is one folder that all ranks reach: leave it out"),
    refused("aio", "there is no NVMe tier yet: leave it out", "null|{}"),
    of_its_section("aio.block_size", Shape::whole),
    of_its_section("aio.queue_depth", Shape::whole),
    of_its_section("aio.intra_op_parallelism", Shape::whole),
    of_its_section("aio.single_submit", Shape::boolean),
    of_its_section("aio.overlap_events", Shape::boolean),
    of_its_section("aio.use_gds", Shape::boolean),
    refused("autotuning",
            "`zero-plan` says what fits, without a run, and `sweep.sh --best` what of it is fastest: leave it out"),
    refused("compile", "layers are the trainer's, and are compiled already: leave it out", "null|{}"),
    refused("compression_training", "models are not compressed here: leave it out", "null|{}"),
    refused("curriculum_learning", "the data's order is the trainer's: leave it out"),
    refused("data_efficiency", "the data's order is the trainer's: leave it out"),
    refused("datastates_ckpt", "checkpoints are written in the background already: leave it out", "null|{}"),
    refused("eigenvalue", "it belongs to quantized training, which does not exist here: leave it out"),
    refused("elasticity",
            "every checkpoint fits any number of ranks: write \"micro_batches_per_step\", and the bits stay "
            "the same too"),
    refused("expert_parallel", "experts are groups of ranks of a joint step, not a setting: leave it out", "null|{}"),
    refused("graph_harvesting", "capture a step with Engine::capture instead: leave it out"),
    refused("hybrid_engine", "there is no inference engine: leave it out"),
    refused("log_level", "there are no levels: leave it out", "null"),
    refused("nebula", "checkpoints are written in the background already: leave it out"),
    refused("pipeline", "there are no pipelines yet: leave it out", "null|{}"),
    refused("progressive_layer_drop", "layers are the trainer's: leave it out"),
    refused("quantize_training", "training is not quantized here: leave it out", "null|{}|false"),
    refused("sequence_parallel_size", "there is no sequence parallelism: leave it out", "1|null"),
    refused("sparse_attention", "layers are the trainer's: leave it out", "null|{}"),
    refused("tensor_parallel", "there is no tensor parallelism: leave it out",
            "null|{}|{\"autotp_size\":0}|{\"autotp_size\":1}"),
    refused("use_data_before_expert_parallelism", "the order of axes is a Topology's: leave it out"),
    refused("weight_quantization", "there is no inference engine: leave it out", "null|{}"),
};

}  // namespace zero::config::detail
