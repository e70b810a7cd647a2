// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>
#include <zero/config/detail/rule_reader.hpp>

#include <array>

namespace zero::config::detail {

inline constexpr auto keep_rule_setting = [](RawSettings& raw, Entry const& e) { raw.optimizer.params.push_back(e); };

/// The optimizer. Which rule has which settings: rule_reader.hpp.
inline constexpr std::array optimizer_keys{
    section("optimizer", "the rule, with DeepSpeed's defaults",
            [](RawSettings& raw, Entry const& e) { raw.optimizer.section = e; }),
    applied("optimizer.type", Shape::text,
            "Adam and AdamW (both with decoupled decay, as there), SGD, Lion, Adagrad; capitals do not matter",
            [](RawSettings& raw, Entry const& e) {
              RuleReader::expect_type(e);
              raw.optimizer.type = e;
            }),
    section("optimizer.params", "the rule's settings"),
    applied("optimizer.params.lr", Shape::number, "learning rate", keep_rule_setting,
            "nanoGPT: `learning_rate`; llm.c: `-l`"),
    applied("optimizer.params.betas", Shape::list, "Adam, AdamW, Lion: the two decays", keep_rule_setting,
            "nanoGPT: `beta1`, `beta2`"),
    applied("optimizer.params.eps", Shape::number, "Adam, AdamW, Adagrad: added to the denominator", keep_rule_setting),
    applied("optimizer.params.weight_decay", Shape::number,
            "weight decay, of the parameters that the trainer decays; absent: 0", keep_rule_setting,
            "nanoGPT: `weight_decay`; llm.c: `-c`"),
    applied("optimizer.params.adam_w_mode", Shape::boolean, "Adam: false adds the decay to the gradient (L2)",
            keep_rule_setting),
    applied("optimizer.params.torch_adam", Shape::boolean,
            "Adam, AdamW: true takes torch's default for the decay of AdamW, 0.01; the formula is the same",
            keep_rule_setting),
    applied("optimizer.params.momentum", Shape::number, "SGD: decay of the buffer; absent: 0", keep_rule_setting),
    applied("optimizer.params.dampening", Shape::number, "SGD: what is left out of a gradient", keep_rule_setting),
    applied("optimizer.params.nesterov", Shape::boolean, "SGD: looks ahead by one buffer", keep_rule_setting),
    applied("optimizer.params.lr_decay", Shape::number, "Adagrad: decay of the learning rate", keep_rule_setting),
    always("optimizer.params.bias_correction", Shape::boolean, "moments are corrected for their start", "true"),
    always("optimizer.params.set_grad_none", Shape::boolean, "gradients are the engine's"),
    always("optimizer.params.fp32_optimizer_states", Shape::boolean, "optimizer states are fp32", "true"),
    always("optimizer.params.fused", Shape::any, "the update is one fused pass", "true|false|null"),
    always("optimizer.params.foreach", Shape::any, "the update is one fused pass", "true|false|null"),
    refused("optimizer.params.amsgrad", "it cannot be had, nor in DeepSpeed: leave it out"),
    refused("optimizer.params.maximize", "it cannot be had: negate the loss"),
    refused("optimizer.params.initial_accumulator_value", "states begin with 0: leave it out", "0|0.0"),
    refused("optimizer.params.max_grad_norm", "write \"gradient_clipping\" at the top level instead", "0|0.0|null"),
    always("optimizer.legacy_fusion", Shape::boolean, "update, unscaling, clipping and cast are one pass"),
    always("zero_allow_untested_optimizer", Shape::boolean, "every rule works at every stage"),
    always("zero_force_ds_cpu_optimizer", Shape::boolean, "offloaded states are updated by the engine's own kernels"),
};

}  // namespace zero::config::detail
