// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace differential {

// clang-format off
#define ZERO_DIFFERENTIAL_MUTANTS(each) \
  each(none) \
  each(adam_first_moment_unfused) \
  each(adam_square_grouped_otherwise) \
  each(adam_epsilon_inside_the_root) \
  each(adam_bias_correction_of_the_next_step) \
  each(adam_decay_decoupled) \
  each(adamw_decay_after_the_step) \
  each(sgd_first_step_like_the_others) \
  each(sgd_nesterov_with_the_old_buffer) \
  each(sgd_step_unfused) \
  each(lion_sign_of_the_new_average) \
  each(lion_sign_of_zero_is_one) \
  each(adagrad_epsilon_inside_the_root) \
  each(adagrad_rate_of_the_next_step) \
  each(rounding_truncates) \
  each(rounding_ties_away) \
  each(rounding_flushes_subnormals) \
  each(rounding_saturates) \
  each(sum_rounded_once) \
  each(sum_of_ranks_reversed) \
  each(sum_rank_by_rank) \
  each(sum_once_per_step_always) \
  each(rounds_counted_whole) \
  each(absent_ranks_add_zeros) \
  each(contributions_in_registered_order) \
  each(contributions_rounded_once) \
  each(norm_without_blocks) \
  each(norm_blocks_without_tree) \
  each(norm_blocks_over_parameters) \
  each(clipping_without_epsilon) \
  each(clipping_of_the_scaled_norm) \
  each(multiplier_in_two_factors) \
  each(multiplier_of_arrivals) \
  each(scaler_before_the_update) \
  each(scaler_ignores_hysteresis) \
  each(scaler_grows_late) \
  each(skipped_step_counts) \
  each(skipped_step_updates) \
  each(group_factor_rounded) \
  each(group_decay_ignored) \
  each(delayed_update_at_once) \
  each(master_parameters_rounded)
// clang-format on

/// What the plain loop can be made to do wrong, one at a time. The test must find a difference for each.
enum class Mutant : std::uint8_t {
#define ZERO_MUTANT(name) name,
  ZERO_DIFFERENTIAL_MUTANTS(ZERO_MUTANT)
#undef ZERO_MUTANT
};

inline constexpr std::array mutant_names = {
#define ZERO_MUTANT(name) #name,
    ZERO_DIFFERENTIAL_MUTANTS(ZERO_MUTANT)
#undef ZERO_MUTANT
};

}  // namespace differential
