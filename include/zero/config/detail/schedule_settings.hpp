// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/schedule/schedule.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace zero::config::detail {

/// Kinds of schedules.
template <class... Kind>
struct ScheduleList {};
/// All that a configuration may name: DeepSpeed's, the field's, PyTorch's.
using AllSchedules =
    ScheduleList<schedule::WarmupLR, schedule::WarmupDecayLR, schedule::WarmupCosineLR, schedule::OneCycle,
                 schedule::LRRangeTest, schedule::Constant, schedule::Linear, schedule::Cosine,
                 schedule::WarmupStableDecay, schedule::ConstantLR, schedule::LinearLR, schedule::StepLR,
                 schedule::MultiStepLR, schedule::ExponentialLR, schedule::CosineAnnealingLR>;

/// Where a setting of a schedule comes from when a configuration does not say it.
enum class Missing : std::uint8_t {
  has_default,
  is_optimizer_lr,  ///< the learning rate of the optimizer
  is_error,
};

/// What a setting that a configuration calls \p key is called in the library, where that is another name.
struct LibraryName {
  std::string_view key, setting;
};
inline constexpr std::array library_names{LibraryName{"warmup_min_lr", "min_lr"},
                                          LibraryName{"warmup_max_lr", "max_lr"},
                                          LibraryName{"warmup_num_steps", "warmup_steps"},
                                          LibraryName{"total_num_steps", "total_steps"},
                                          LibraryName{"decay_num_steps", "decay_steps"},
                                          LibraryName{"cos_min_ratio", "cosine_min_ratio"},
                                          LibraryName{"cycle_min_lr", "min_lr"},
                                          LibraryName{"cycle_max_lr", "max_lr"},
                                          LibraryName{"cycle_first_step_size", "first_steps"},
                                          LibraryName{"cycle_second_step_size", "second_steps"},
                                          LibraryName{"cycle_first_stair_count", "first_stairs"},
                                          LibraryName{"cycle_second_stair_count", "second_stairs"},
                                          LibraryName{"decay_step_size", "decay_steps"},
                                          LibraryName{"cycle_min_mom", "min_momentum"},
                                          LibraryName{"cycle_max_mom", "max_momentum"},
                                          LibraryName{"decay_mom_rate", "decay_momentum_rate"},
                                          LibraryName{"lr_range_test_min_lr", "min_lr"},
                                          LibraryName{"lr_range_test_step_size", "interval"},
                                          LibraryName{"lr_range_test_step_rate", "rate"},
                                          LibraryName{"total_iters", "total_steps"},
                                          LibraryName{"step_size", "interval"},
                                          LibraryName{"eta_min", "min_lr"},
                                          LibraryName{"T_max", "half_period"}};

/// \name The settings of each schedule, by their names in a configuration
///
/// `f(name, member, missing)` is called for each: DeepSpeed's names for its schedules, PyTorch's for its own. The
/// reader and the writer of configurations are both made of these lists.
/// @{
template <class Config, class Function>
void for_each_warmup_setting(Config& c, Function const& f) {
  f("warmup_min_lr", c.min_lr, Missing::has_default);
  f("warmup_num_steps", c.warmup_steps, Missing::has_default);
  f("warmup_type", c.shape, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::WarmupLR::Config& c, Function const& f) {
  for_each_warmup_setting(c, f);
  f("warmup_max_lr", c.max_lr, Missing::is_optimizer_lr);
}
template <class Function>
void for_each_setting(schedule::WarmupDecayLR::Config& c, Function const& f) {
  f("total_num_steps", c.total_steps, Missing::is_error);
  for_each_warmup_setting(c, f);
  f("warmup_max_lr", c.max_lr, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::WarmupCosineLR::Config& c, Function const& f) {
  f("total_num_steps", c.total_steps, Missing::is_error);
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("warmup_min_ratio", c.warmup_min_ratio, Missing::has_default);
  f("warmup_num_steps", c.warmup_steps, Missing::has_default);
  f("cos_min_ratio", c.cosine_min_ratio, Missing::has_default);
  f("warmup_type", c.shape, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::OneCycle::Config& c, Function const& f) {
  f("cycle_min_lr", c.min_lr, Missing::is_error);
  f("cycle_max_lr", c.max_lr, Missing::is_error);
  f("decay_lr_rate", c.decay_lr_rate, Missing::has_default);
  f("cycle_first_step_size", c.first_steps, Missing::has_default);
  f("cycle_second_step_size", c.second_steps, Missing::has_default);
  f("cycle_first_stair_count", c.first_stairs, Missing::has_default);
  f("cycle_second_stair_count", c.second_stairs, Missing::has_default);
  f("decay_step_size", c.decay_steps, Missing::has_default);
  f("cycle_momentum", c.cycles_momentum, Missing::has_default);
  f("cycle_min_mom", c.min_momentum, Missing::has_default);
  f("cycle_max_mom", c.max_momentum, Missing::has_default);
  f("decay_mom_rate", c.decay_momentum_rate, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::LRRangeTest::Config& c, Function const& f) {
  f("lr_range_test_min_lr", c.min_lr, Missing::has_default);
  f("lr_range_test_step_size", c.interval, Missing::has_default);
  f("lr_range_test_step_rate", c.rate, Missing::has_default);
  f("lr_range_test_staircase", c.staircase, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::Constant::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("warmup_num_steps", c.warmup_steps, Missing::has_default);
}
template <class Config, class Function>
void for_each_decay_setting(Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("min_lr", c.min_lr, Missing::has_default);
  f("warmup_num_steps", c.warmup_steps, Missing::has_default);
  f("total_num_steps", c.total_steps, Missing::is_error);
}
template <class Function>
void for_each_setting(schedule::Linear::Config& c, Function const& f) {
  for_each_decay_setting(c, f);
}
template <class Function>
void for_each_setting(schedule::Cosine::Config& c, Function const& f) {
  for_each_decay_setting(c, f);
}
template <class Function>
void for_each_setting(schedule::WarmupStableDecay::Config& c, Function const& f) {
  for_each_decay_setting(c, f);
  f("decay_num_steps", c.decay_steps, Missing::is_error);
  f("decay_type", c.shape, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::ConstantLR::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("factor", c.factor, Missing::has_default);
  f("total_iters", c.total_steps, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::LinearLR::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("start_factor", c.start_factor, Missing::has_default);
  f("end_factor", c.end_factor, Missing::has_default);
  f("total_iters", c.total_steps, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::StepLR::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("step_size", c.interval, Missing::is_error);
  f("gamma", c.gamma, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::MultiStepLR::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("milestones", c.milestones, Missing::is_error);
  f("gamma", c.gamma, Missing::has_default);
}
template <class Function>
void for_each_setting(schedule::ExponentialLR::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("gamma", c.gamma, Missing::is_error);
}
template <class Function>
void for_each_setting(schedule::CosineAnnealingLR::Config& c, Function const& f) {
  f("lr", c.lr, Missing::is_optimizer_lr);
  f("eta_min", c.min_lr, Missing::has_default);
  f("T_max", c.half_period, Missing::is_error);
}
/// @}

}  // namespace zero::config::detail
