// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/floating_point_guard.hpp>
#include <zero/kernels/norm_words.hpp>
#include <zero/kernels/real.hpp>
#include <zero/kernels/step_state.hpp>

#include <cstddef>
#include <cstdint>

namespace zero {

/// What the fused update reads: whether to update, the multiplier of every gradient, and each group's constants.
template <class Rule>
struct Decision {
  bool apply = false;                                   ///< whether to update
  float multiplier = 0.0F;                              ///< of every gradient: averaging, unscaling and clipping
  typename Rule::Constants const* constants = nullptr;  ///< one per set, in the memory of this decision
};

/// What parameters have in common that share constants: their group, and the step of the run from which they count.
struct ConstantsSet {
  std::uint64_t first_step = 0;  ///< updates of the run before their first one; modulo 2^64
  std::uint32_t group = 0;       ///< whose settings are theirs
};

/// One entry of the words of a joint step, of which each rank has one for itself and one for each of its engines.
struct NormEntry {
  std::uint32_t rank = 0;             ///< whose it is, as the world counts
  std::uint32_t same_as = 0;          ///< the entry whose agreement it must have
  std::uint32_t first_parameter = 0;  ///< number of its engine's first parameter among those of all engines
};

/// Arguments of `decide`: what a step may change lies in device memory, the rest is passed by value.
template <class Rule, class Scaler>
struct DecisionArguments {
  NormWords norm;                                 ///< summed over all ranks
  double addends = 1.0;                           ///< micro-batches of all ranks: what the sum is divided by
  double const* clipping = nullptr;               ///< largest norm; 0: no clipping
  typename Scaler::Config scaler{};               ///< settings of the scaler
  StepState<Scaler>* state = nullptr;             ///< read, and written for the next step
  typename Rule::Config const* groups = nullptr;  ///< one per group
  std::uint32_t group_count = 0;                  ///< groups of parameters
  ConstantsSet const* sets = nullptr;             ///< null: one for each group, from step 0
  std::uint32_t set_count = 0;                    ///< sets of constants; not fewer than groups
  typename Rule::Constants* constants = nullptr;  ///< one per set
  Decision<Rule>* decision = nullptr;             ///< what the update reads
  StepOutcome* outcome = nullptr;                 ///< what the report is made of
  NormEntry const* entries = nullptr;             ///< in a joint step: one for each of the norm's; else null
  float const* scale = nullptr;                   ///< in a joint step: the scale of backward; null: that of `state`
};

namespace detail {

/// The bad parameter that was registered first; UINT32_MAX when every gradient was finite. With \p entries it counts
/// through the parameters of all engines.
ZERO_HOST_DEVICE inline std::uint32_t first_bad_parameter(NormWords const& norm, NormEntry const* entries) {
  std::uint64_t first = UINT32_MAX;
  for (int r = 0; r < norm.world; ++r) {
    std::uint64_t const entry = norm.words[ExactSum::words + static_cast<std::size_t>(r)] & UINT32_MAX;
    if (entry == 0) continue;
    std::uint64_t const parameter = entry - 1 + (entries != nullptr ? entries[r].first_parameter : 0);
    if (parameter < first) first = parameter;
  }
  return static_cast<std::uint32_t>(first);
}

/// 1 + the first rank whose settings or collectives were not those of rank 0; 0 where all did the same. Every rank says
/// something that is not 0, except where a simulated one stands for all.
ZERO_HOST_DEVICE inline std::uint32_t first_mismatched_rank(NormWords const& norm, NormEntry const* entries) {
  auto const* const words = norm.words + ExactSum::words;
  for (int r = 1; r < norm.world; ++r) {
    std::uint64_t const first = words[entries != nullptr ? entries[r].same_as : 0] >> 32U, other = words[r] >> 32U;
    if (first == 0 || other == 0 || first == other) continue;
    return (entries != nullptr ? entries[r].rank : static_cast<std::uint32_t>(r)) + 1;
  }
  return 0;
}

template <class State>
ZERO_HOST_DEVICE bool exhausted(State const& state) {
  if constexpr (requires { state.exhausted; }) {
    return state.exhausted;
  } else {
    return false;
  }
}

/// PyTorch's: min(1, limit / (norm + 1e-6)); 1 for a \p limit of 0, which is none.
ZERO_HOST_DEVICE inline double clip_coefficient(double limit, Double norm) {
  double const coefficient = limit > 0.0 ? (Double(limit) / (norm + Double(1e-6))).value() : 1.0;
  return coefficient < 1.0 ? coefficient : 1.0;
}

/// Enters a step into \p state, whose update is skipped where \p overflow.
template <class Scaler>
ZERO_HOST_DEVICE void count_step(StepState<Scaler>& state, bool overflow, Double norm) {
  state.steps += overflow ? 0 : 1;
  state.skipped += overflow ? 1 : 0;
  state.skipped_in_row = overflow ? state.skipped_in_row + 1 : 0;
  state.zero_norm_steps = !overflow && norm.value() == 0.0 ? state.zero_norm_steps + 1 : 0;
}

/// Writes the constants of every set for an update that is the run's \p steps-th.
template <class Rule, class Scaler>
ZERO_HOST_DEVICE void set_constants(DecisionArguments<Rule, Scaler> const& a, std::uint64_t steps) {
  for (std::uint32_t s = 0; s < a.set_count; ++s) {
    ConstantsSet const set = a.sets != nullptr ? a.sets[s] : ConstantsSet{0, s};
    a.constants[s] = Rule::constants(a.groups[set.group], steps - set.first_step);
  }
}

}  // namespace detail

/// Settles a step from the summed norm: overflow, the one multiplier of averaging, unscaling and clipping (in double,
/// rounded once), each group's constants, and last the scaler, so that the update never sees a scale that backward did
/// not use. Where ranks took the step with other settings, or called other collectives before it, nothing changes, in
/// this step and in all later ones: replicas and shards would be of different models. The clip coefficient is
/// PyTorch's: min(1, clipping / (norm + 1e-6)), of the unscaled averaged gradient.
template <class Rule, class Scaler>
ZERO_HOST_DEVICE void decide(DecisionArguments<Rule, Scaler> const& a) {
  FloatingPointGuard const guard;
  auto& state = *a.state;
  if (state.mismatched == 0) state.mismatched = detail::first_mismatched_rank(a.norm, a.entries);
  if (state.mismatched != 0) {
    *a.decision = {false, 0.0F, a.constants};
    *a.outcome = {};
    a.outcome->mismatched = state.mismatched;
    return;
  }
  ExactSum sum;
  for (std::size_t i = 0; i < ExactSum::words; ++i) sum.digits[i] = a.norm.words[i];
  sum.normalize();
  float const scale = a.scale != nullptr ? *a.scale : state.scale;
  Double const average = Double(1.0) / (Double(a.addends) * Double(scale));
  Double const norm = sqrt(Double(sum.value())) * average;
  std::uint32_t const bad = detail::first_bad_parameter(a.norm, a.entries);
  bool const overflow = bad != UINT32_MAX;
  double const clip = detail::clip_coefficient(*a.clipping, norm);

  detail::count_step(state, overflow, norm);
  if (!overflow) detail::set_constants(a, state.steps);
  *a.decision = {!overflow, (average * Double(clip)).to_float(), a.constants};
  state.scaler = Scaler::update(a.scaler, state.scaler, overflow);
  state.scale = static_cast<float>(state.scaler.scale);
  *a.outcome = {.steps = state.steps,
                .skipped_steps = state.skipped,
                .skipped_in_row = state.skipped_in_row,
                .zero_norm_steps = state.zero_norm_steps,
                .gradient_norm = norm.value(),
                .clip_coefficient = clip,
                .loss_scale = scale,
                .bad_parameter = bad,
                .skipped = overflow,
                .exhausted = detail::exhausted(state.scaler)};
}

}  // namespace zero
