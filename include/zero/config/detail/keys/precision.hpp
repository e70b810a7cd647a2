// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>

#include <array>

namespace zero::config::detail {

inline constexpr double smallest_scale = 1e-30, largest_scale = 1e38;  // floats, and so are their inverses

/// Types of elements, and the loss scale.
inline constexpr std::array precision_keys{
    section("fp16", "parameters and gradients in fp16, with a loss scale",
            [](RawSettings& raw, Entry const& e) { raw.fp16.section = e; }),
    applied(
        "fp16.enabled", Shape::boolean, "turns it on",
        [](RawSettings& raw, Entry const& e) {
          raw.fp16.enabled = e;
          raw.fp16.is_enabled = e.is_auto() ? e.automatic(raw.automatic.fp16) : e.flag();
        },
        "nanoGPT: `dtype`"),
    applied("fp16.loss_scale", Shape::number, "the loss scale; 0: `DynamicScale`",
            [](RawSettings& raw, Entry const& e) {
              raw.fp16.loss_scale =
                  e.real([](double x) { return x == 0.0 || (x >= smallest_scale && x <= largest_scale); },
                         "0 for a dynamic scale, or a scale from 1e-30 to 1e38");
            }),
    applied("fp16.initial_scale_power", Shape::whole, "the first scale is 2 to this power",
            [](RawSettings& raw, Entry const& e) { raw.fp16.initial_scale_power = e.whole(0, 126); }),
    applied("fp16.loss_scale_window", Shape::whole, "clean steps before the scale doubles",
            [](RawSettings& raw, Entry const& e) { raw.fp16.loss_scale_window = e.whole(1, UINT32_MAX); }),
    applied("fp16.hysteresis", Shape::whole, "overflows before the scale is halved",
            [](RawSettings& raw, Entry const& e) { raw.fp16.hysteresis = e.whole(1, UINT32_MAX); }),
    applied("fp16.consecutive_hysteresis", Shape::boolean, "each clean step refills the hysteresis",
            [](RawSettings& raw, Entry const& e) { raw.fp16.consecutive_hysteresis = e.flag(); }),
    applied("fp16.min_loss_scale", Shape::whole, "the scale never falls below it",
            [](RawSettings& raw, Entry const& e) { raw.fp16.min_loss_scale = e.whole(1, UINT32_MAX); }),
    always("fp16.auto_cast", Shape::boolean, "inputs are the trainer's to cast"),
    refused("fp16.fp16_master_weights_and_grads", "master parameters are fp32: leave it out"),
    section("bf16", "parameters and gradients in bf16", [](RawSettings& raw, Entry const& e) { raw.bf16.section = e; }),
    section("bfloat16", "an older name of `bf16`"),
    applied(
        "bf16.enabled", Shape::boolean, "turns it on",
        [](RawSettings& raw, Entry const& e) {
          raw.bf16.enabled = e;
          raw.bf16.is_enabled = e.is_auto() ? e.automatic(raw.automatic.bf16) : e.flag();
        },
        "nanoGPT: `dtype`; llm.c: the build"),
    always("bf16.check_grad_overflow", Shape::boolean,
           "a step whose gradient is not finite is skipped in every precision"),
    always("bf16.immediate_grad_update", Shape::boolean, "gradients are summed as they come, bucket by bucket"),
    refused("bf16.bf16_master_weights_and_grads", "master parameters are fp32: leave it out"),
    refused("bf16.bf16_optimizer_states", "optimizer states are fp32: leave it out"),
    section("data_types", "types of sums"),
    applied(
        "data_types.grad_accum_dtype", Shape::text, "type in which gradients are summed and kept: fp32 or bf16",
        [](RawSettings& raw, Entry const& e) { raw.gradient_sum_type = e; }, {}, "null"),
    applied(
        "data_types.param_dtype", Shape::text, "must be the type that `fp16` or `bf16` says",
        [](RawSettings& raw, Entry const& e) { raw.parameter_type = e; }, {}, "null"),
    refused("data_types.buffer_dtype", "a model's buffers are the trainer's: leave it out", "null"),
    refused("data_types.keep_in_fp32_modules",
            "all parameters of an engine have one type: a second engine of a joint "
            "step may have another",
            "null|[]|\"auto\""),
    applied(
        "communication_data_type", Shape::text,
        "must be the type of the gradients, in which they travel, and are added in fp32",
        [](RawSettings& raw, Entry const& e) { raw.communication_data_type = e; }, {}, "null"),
    refused("seq_parallel_communication_data_type", "there is no sequence parallelism: leave it out", "null|\"fp32\""),
    refused("torch_autocast", "types are not chosen operation by operation: write \"bf16\": {\"enabled\": true}"),
    of_its_section("torch_autocast.enabled", Shape::boolean),
    of_its_section("torch_autocast.dtype", Shape::text),
    of_its_section("torch_autocast.lower_precision_safe_modules", Shape::list),
    refused(
        "amp",
        "Apex is PyTorch's, and excludes ZeRO in DeepSpeed too: leave it out; what its levels stand for: O0 "
        "is fp32, without \"fp16\" and \"bf16\"; O1 and O2 are \"fp16\": {\"enabled\": true}, whose masters are fp32; "
        "O3, fp16 without masters, does not exist here"),
};

}  // namespace zero::config::detail
