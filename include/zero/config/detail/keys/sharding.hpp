// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>

#include <array>

namespace zero::config::detail {

inline constexpr std::uint64_t most_elements = std::uint64_t{1} << 50U;

/// How states, gradients and parameters are sharded.
inline constexpr std::array zero_keys{
    section("zero_optimization", "sharding", [](RawSettings& raw, Entry const& e) { raw.zero.section = e; }),
    applied(
        "zero_optimization.stage", Shape::whole, "stage of ZeRO, 0 to 3",
        [](RawSettings& raw, Entry const& e) { raw.zero.stage = e.whole(0, 3); }, "llm.c: `-z`"),
    applied("zero_optimization.reduce_bucket_size", Shape::whole,
            "elements of a bucket, of which none is larger than the model; absent: the engine's choice",
            [](RawSettings& raw, Entry const& e) {
              if (!e.is_auto()) raw.zero.reduce_bucket_size = e.whole(1, most_elements);
            }),
    applied("zero_optimization.ignore_unused_parameters", Shape::boolean,
            "a parameter without a gradient has one of zeros; false: it is an error",
            [](RawSettings& raw, Entry const& e) { raw.zero.ignores_unused_parameters = e.flag(); }),
    applied("zero_optimization.stage3_prefetch_bucket_size", Shape::whole,
            "stage 3: 0 gathers no unit ahead; any other number one",
            [](RawSettings& raw, Entry const& e) {
              if (!e.is_auto()) raw.zero.prefetches = e.whole(0, most_elements) > 0;
            }),
    applied("zero_optimization.stage3_param_persistence_threshold", Shape::whole,
            "stage 3: parameters with no more elements stay whole; absent: 1e5",
            [](RawSettings& raw, Entry const& e) {
              if (!e.is_auto()) raw.zero.param_persistence_threshold = e.whole(0, most_elements);
            }),
    applied("zero_optimization.stage3_max_live_parameters", Shape::whole,
            "stage 3: gathered elements that there is room for; absent: what units under way need",
            [](RawSettings& raw, Entry const& e) {
              if (!e.is_auto()) raw.zero.max_live_parameters = e.whole(1, most_elements);
            }),
    section("zero_optimization.offload_optimizer", "optimizer states in host memory"),
    applied("zero_optimization.offload_optimizer.device", Shape::text, "none or cpu",
            [](RawSettings& raw, Entry const& e) {
              auto const& device = e.string();
              if (device == "nvme") e.fail("there is no NVMe tier yet", "write \"cpu\"");
              if (device != "cpu" && device != "none") e.fail(e.text() + " is no device", "write \"cpu\" or \"none\"");
              raw.zero.offloads = device == "cpu";
            }),
    applied("zero_optimization.offload_optimizer.ratio", Shape::number,
            "share of the states that is in host memory, at every stage",
            [](RawSettings& raw, Entry const& e) {
              raw.zero.ratio_entry = e;
              raw.zero.ratio = e.real([](double x) { return x >= 0.0 && x <= 1.0; }, "from 0 to 1");
            }),
    applied("zero_optimization.offload_optimizer.delayed_update", Shape::boolean,
            "updates on the host beside the next step's passes, a step late; changes results. Not DeepSpeed's",
            [](RawSettings& raw, Entry const& e) {
              raw.zero.delays_update = e.flag();
              raw.zero.delayed_update = e;
            }),
    always("zero_optimization.offload_optimizer.pin_memory", Shape::boolean,
           "staging buffers are pinned, and states are not"),
    always("zero_optimization.offload_optimizer.buffer_count", Shape::whole,
           "two chunks are under way in each direction"),
    always("zero_optimization.offload_optimizer.fast_init", Shape::boolean, "states are written once"),
    always("zero_optimization.offload_optimizer.cpuadam_cores_perc", Shape::number,
           "the update has the rank's threads, whose number the trainer says"),
    refused("zero_optimization.offload_optimizer.nvme_path", "there is no NVMe tier yet: leave it out", "null"),
    refused("zero_optimization.offload_optimizer.pipeline_read", "there is no NVMe tier yet: leave it out"),
    refused("zero_optimization.offload_optimizer.pipeline_write", "there is no NVMe tier yet: leave it out"),
    refused("zero_optimization.offload_optimizer.super_offload",
            "no step is undone here: leave it out; a delayed update hides the host's time"),
    section("zero_optimization.offload_param", "parameters in host memory"),
    refused("zero_optimization.offload_param.device",
            "parameters cannot be offloaded yet: leave \"offload_param\" out; \"offload_optimizer\" offloads optimizer "
            "states",
            "\"none\""),
    refused("zero_optimization.offload_param.nvme_path", "there is no NVMe tier yet: leave it out", "null"),
    always("zero_optimization.offload_param.buffer_count", Shape::whole, "parameters are not offloaded"),
    always("zero_optimization.offload_param.buffer_size", Shape::whole, "parameters are not offloaded"),
    always("zero_optimization.offload_param.max_in_cpu", Shape::whole, "parameters are not offloaded"),
    always("zero_optimization.offload_param.pin_memory", Shape::boolean, "parameters are not offloaded"),
    always("zero_optimization.contiguous_gradients", Shape::boolean, "gradients lie in buckets, always"),
    always("zero_optimization.reduce_scatter", Shape::boolean, "always a true reduce-scatter, of equal parts"),
    always("zero_optimization.use_multi_rank_bucket_allreduce", Shape::boolean,
           "each bucket belongs to all ranks in equal parts"),
    always("zero_optimization.allgather_partitions", Shape::boolean, "parameters are gathered by all-gathers, always"),
    always("zero_optimization.allgather_bucket_size", Shape::whole, "gathers go bucket by bucket"),
    always("zero_optimization.overlap_comm", Shape::any,
           "collectives run beside the passes, always, and ordered by events", "true|false|null|\"auto\""),
    always("zero_optimization.compute_grad_norm", Shape::boolean, "the norm is taken while gradients are reduced"),
    always("zero_optimization.load_from_fp32_weights", Shape::boolean, "checkpoints hold fp32 parameters"),
    always("zero_optimization.elastic_checkpoint", Shape::boolean, "every checkpoint fits any number of ranks"),
    always("zero_optimization.round_robin_gradients", Shape::boolean, "every rank owns a part of every bucket"),
    always("zero_optimization.parameter_alignment", Shape::boolean,
           "each parameter starts on a multiple of 128 elements"),
    always("zero_optimization.sub_group_size", Shape::whole, "updates go bucket by bucket, and by chunks if offloaded"),
    always("zero_optimization.stage3_max_reuse_distance", Shape::whole,
           "a parameter is let go when no lease holds it and its place is needed"),
    always("zero_optimization.stage3_gather_16bit_weights_on_model_save", Shape::boolean,
           "a checkpoint holds whole fp32 parameters at every stage"),
    always("zero_optimization.stage3_gather_fp16_weights_on_model_save", Shape::boolean,
           "a checkpoint holds whole fp32 parameters at every stage"),
    always("zero_optimization.stage3_allgather_sequential", Shape::boolean, "gathers have one order, on one stream"),
    always("zero_optimization.memory_efficient_linear", Shape::boolean, "layers are the trainer's"),
    always("zero_optimization.override_module_apply", Shape::boolean, "modules are the trainer's"),
    always("zero_optimization.pipeline_loading_checkpoint", Shape::boolean, "no rank loads more than its part"),
    always("zero_optimization.log_trace_cache_warnings", Shape::boolean, "the order of gathers is fixed, not guessed"),
    always("zero_optimization.enable_sanity_checks", Shape::boolean, "ranks are compared at every construction"),
    refused("zero_optimization.stage3_model_persistence_threshold",
            "what stays whole is not bounded in sum: write a smaller \"stage3_param_persistence_threshold\"",
            "9223372036854775807|9.2233720368547758e+18|\"auto\"|\"sys.maxsize\""),
    refused("zero_optimization.stage3_module_granularity_threshold", "units are the trainer's: leave it out", "0"),
    refused("zero_optimization.stage3_use_all_reduce_for_fetch_params", "parameters are gathered by all-gathers"),
    refused("zero_optimization.zero_hpz_partition_size", "there is no second copy inside a node yet: leave it out",
            "1"),
    refused("zero_optimization.zero_quantized_weights", "gathers are not quantized yet: leave it out"),
    refused("zero_optimization.zero_quantized_nontrainable_weights", "gathers are not quantized yet: leave it out"),
    refused("zero_optimization.zero_quantized_gradients", "gradients are not quantized yet: leave it out"),
    refused("zero_optimization.zeropp_loco_param", "gradients are not quantized yet: leave it out", "null"),
    of_its_section("zero_optimization.zeropp_loco_param.err_beta", Shape::number),
    of_its_section("zero_optimization.zeropp_loco_param.reset_T", Shape::whole),
    refused("zero_optimization.mics_shard_size", "states are sharded over all ranks: leave it out", "-1"),
    refused("zero_optimization.mics_hierarchical_params_gather", "states are sharded over all ranks: leave it out"),
    refused("zero_optimization.save_muon_momentum_buffer_in_memory", "there is no Muon yet: leave it out"),
    refused("zero_optimization.leaf_module", "units are the trainer's: register them with ParameterSpec", "null|{}"),
    of_its_section("zero_optimization.leaf_module.classes", Shape::list),
    of_its_section("zero_optimization.leaf_module.names", Shape::list),
    of_its_section("zero_optimization.leaf_module.name_suffixes", Shape::list),
    refused("zero_optimization.zenflow", "no gradient is left for later here: leave it out", "null"),
    of_its_section("zero_optimization.zenflow.topk_ratio", Shape::number),
    of_its_section("zero_optimization.zenflow.select_strategy", Shape::text),
    of_its_section("zero_optimization.zenflow.select_interval", Shape::any),
    of_its_section("zero_optimization.zenflow.update_interval", Shape::any),
    of_its_section("zero_optimization.zenflow.overlap_step", Shape::boolean),
    of_its_section("zero_optimization.zenflow.offload", Shape::boolean),
    of_its_section("zero_optimization.zenflow.auto_ratio", Shape::number),
    of_its_section("zero_optimization.zenflow.full_warm_up_rounds", Shape::whole),
    of_its_section("zero_optimization.zenflow.pt_reserved_cores_perc", Shape::number),
    of_its_section("zero_optimization.zenflow.steps_per_epoch", Shape::whole),
    refused("zero_optimization.legacy_stage1", "there is one stage 1: leave it out"),
    refused("zero_optimization.cpu_offload", "an older name: write \"offload_optimizer\": {\"device\": \"cpu\"}"),
    refused("zero_optimization.cpu_offload_param", "parameters cannot be offloaded yet: leave it out"),
    always("zero_optimization.cpu_offload_use_pin_memory", Shape::boolean,
           "staging buffers are pinned, and states are not"),
    always("prescale_gradients", Shape::boolean, "gradients are divided once, in the update", "false"),
    always("gradient_predivide_factor", Shape::number, "gradients are divided once, in the update", "1|1.0"),
    always("gradient_allreduce_op", Shape::text,
           "the gradient is the mean over micro-batches: for a sum, multiply the loss", "\"mean\"|\"MEAN\"|\"Mean\""),
    always("managed_gradient_accumulation", Shape::boolean, "the engine divides by the step's micro-batches", "true"),
    always("disable_allgather", Shape::boolean, "parameters are gathered by all-gathers, always", "false"),
    refused("sparse_gradients", "gradients of embeddings are dense: leave it out"),
    refused("allgather_size", "an older name: write \"zero_optimization\": {\"allgather_bucket_size\": ...}", "null"),
    refused("fp32_allreduce", "an older name: gradients are added in fp32, always"),
};

}  // namespace zero::config::detail
