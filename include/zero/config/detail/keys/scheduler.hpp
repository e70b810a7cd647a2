// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/config/detail/key_row.hpp>

#include <array>

namespace zero::config::detail {

inline constexpr auto keep_schedule_setting = [](RawSettings& raw, Entry const& e) {
  raw.scheduler.params.push_back(e);
};

/// The schedule of the learning rate. Which schedule has which settings: schedule_reader.hpp.
inline constexpr std::array scheduler_keys{
    section("scheduler", "the schedule of the learning rate, with DeepSpeed's defaults",
            [](RawSettings& raw, Entry const& e) { raw.scheduler.section = e; }),
    applied("scheduler.type", Shape::text,
            "WarmupLR, WarmupDecayLR, WarmupCosineLR, OneCycle, LRRangeTest; and constant, linear, cosine, "
            "warmup-stable-decay, PyTorch's ConstantLR, LinearLR, StepLR, MultiStepLR, ExponentialLR, "
            "CosineAnnealingLR; capitals do not matter",
            [](RawSettings& raw, Entry const& e) { raw.scheduler.type = e; }),
    section("scheduler.params", "the schedule's settings"),
    applied("scheduler.params.warmup_min_lr", Shape::number, "WarmupLR, WarmupDecayLR: the first learning rate",
            keep_schedule_setting),
    applied("scheduler.params.warmup_max_lr", Shape::number,
            "WarmupLR (absent: the optimizer's), WarmupDecayLR (absent: 1e-3): the learning rate after warm-up",
            keep_schedule_setting, "nanoGPT: `learning_rate`", "null"),
    applied("scheduler.params.warmup_num_steps", Shape::whole, "steps of warm-up; absent: 1000", keep_schedule_setting,
            "nanoGPT: `warmup_iters`; llm.c: `-u`"),
    applied("scheduler.params.warmup_type", Shape::text, "how it rises: log or linear; absent: log",
            keep_schedule_setting),
    applied("scheduler.params.total_num_steps", Shape::whole, "WarmupDecayLR, WarmupCosineLR: steps of the run",
            keep_schedule_setting, "nanoGPT: `lr_decay_iters`"),
    applied("scheduler.params.warmup_min_ratio", Shape::number, "WarmupCosineLR: the first ratio to the learning rate",
            keep_schedule_setting),
    applied("scheduler.params.cos_min_ratio", Shape::number, "WarmupCosineLR: the last ratio; absent: 1e-4",
            keep_schedule_setting, "nanoGPT: `min_lr` / `learning_rate`; llm.c: `-q`"),
    applied("scheduler.params.cycle_min_lr", Shape::number, "OneCycle: learning rate at both ends",
            keep_schedule_setting),
    applied("scheduler.params.cycle_max_lr", Shape::number, "OneCycle: learning rate in the middle",
            keep_schedule_setting),
    applied("scheduler.params.decay_lr_rate", Shape::number, "OneCycle: decay after the cycle", keep_schedule_setting),
    applied("scheduler.params.cycle_first_step_size", Shape::whole, "OneCycle: steps of the rise; absent: 2000",
            keep_schedule_setting),
    applied("scheduler.params.cycle_second_step_size", Shape::whole, "OneCycle: steps of the fall; absent: as the rise",
            keep_schedule_setting, {}, "null"),
    applied("scheduler.params.cycle_first_stair_count", Shape::whole, "OneCycle: stairs of the rise; 0: none",
            keep_schedule_setting),
    applied("scheduler.params.cycle_second_stair_count", Shape::whole, "OneCycle: stairs of the fall",
            keep_schedule_setting, {}, "null"),
    applied("scheduler.params.decay_step_size", Shape::whole, "OneCycle: steps of a decay; 0: no decay",
            keep_schedule_setting),
    applied("scheduler.params.cycle_momentum", Shape::boolean, "OneCycle: moves the momentum, too; absent: true",
            keep_schedule_setting),
    applied("scheduler.params.cycle_min_mom", Shape::number, "OneCycle: the smallest momentum", keep_schedule_setting),
    applied("scheduler.params.cycle_max_mom", Shape::number, "OneCycle: the largest momentum", keep_schedule_setting),
    applied("scheduler.params.decay_mom_rate", Shape::number, "OneCycle: growth of the momentum after the cycle",
            keep_schedule_setting),
    applied("scheduler.params.lr_range_test_min_lr", Shape::number, "LRRangeTest: the first learning rate",
            keep_schedule_setting),
    applied("scheduler.params.lr_range_test_step_size", Shape::whole, "LRRangeTest: steps of an interval",
            keep_schedule_setting),
    applied("scheduler.params.lr_range_test_step_rate", Shape::number, "LRRangeTest: growth in an interval",
            keep_schedule_setting),
    applied("scheduler.params.lr_range_test_staircase", Shape::boolean, "LRRangeTest: grows in stairs",
            keep_schedule_setting),
    applied("scheduler.params.lr", Shape::number,
            "largest learning rate of those that are not DeepSpeed's, and WarmupCosineLR's; absent: the optimizer's",
            keep_schedule_setting),
    applied("scheduler.params.min_lr", Shape::number, "linear, cosine, warmup-stable-decay: the last learning rate",
            keep_schedule_setting, "nanoGPT: `min_lr`"),
    applied("scheduler.params.decay_num_steps", Shape::whole, "warmup-stable-decay: the last steps, which decay",
            keep_schedule_setting),
    applied("scheduler.params.decay_type", Shape::text, "warmup-stable-decay: linear or 1-sqrt; absent: linear",
            keep_schedule_setting),
    applied("scheduler.params.factor", Shape::number, "ConstantLR", keep_schedule_setting),
    applied("scheduler.params.start_factor", Shape::number, "LinearLR", keep_schedule_setting),
    applied("scheduler.params.end_factor", Shape::number, "LinearLR", keep_schedule_setting),
    applied("scheduler.params.total_iters", Shape::whole, "ConstantLR, LinearLR", keep_schedule_setting),
    applied("scheduler.params.step_size", Shape::whole, "StepLR: steps of an interval", keep_schedule_setting),
    applied("scheduler.params.gamma", Shape::number, "StepLR, MultiStepLR, ExponentialLR: the factor",
            keep_schedule_setting),
    applied("scheduler.params.milestones", Shape::list, "MultiStepLR: the steps", keep_schedule_setting),
    applied("scheduler.params.T_max", Shape::whole, "CosineAnnealingLR: steps of half a period", keep_schedule_setting),
    applied("scheduler.params.eta_min", Shape::number, "CosineAnnealingLR: the smallest learning rate",
            keep_schedule_setting),
    refused("scheduler.params.last_batch_iteration", "a resumed run knows its step: leave it out", "-1"),
};

}  // namespace zero::config::detail
