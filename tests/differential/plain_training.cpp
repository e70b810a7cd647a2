// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Compiled with -ffp-contract=off: what is fused is written as std::fma. Nothing of zero is included.

#include "differential/plain_training.hpp"

#include "differential/events.hpp"
#include "differential/plain_norm.hpp"
#include "differential/plain_numbers.hpp"
#include "differential/plain_rules.hpp"
#include "differential/plain_scaler.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace differential {
namespace {

class PlainTraining {
 public:
  PlainTraining(Scenario const& s, Mutant mutant)
      : s_(s), mutant_(mutant), to_compute_(s.compute, mutant), to_sum_(s.sum, mutant), scaler_(s, mutant) {
    for (std::size_t p = 0; p < s.parameters.size(); ++p) {
      auto const& parameter = s.parameters[p];
      std::vector<float> values(parameter.count);
      // Adopted values and frozen parameters are in the compute type only.
      bool const narrow = parameter.adopts_values || parameter.frozen;
      for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = narrow ? to_compute_(initial_value(s, p, i)) : initial_value(s, p, i);
      }
      values_.push_back(values);
      states_.emplace_back(parameter.count);
    }
    seen_ = values_;
  }

  Outcome train() {
    for (std::size_t step = 0; step < static_cast<std::size_t>(s_.steps); ++step) take(step);
    outcome_.values = values_;
    for (std::size_t k = 0; k < state_count(s_.rule); ++k) outcome_.states.push_back(states(k));
    return outcome_;
  }

 private:
  [[nodiscard]] bool is(Mutant mutant) const { return mutant_ == mutant; }
  [[nodiscard]] std::size_t world() const { return static_cast<std::size_t>(s_.world); }
  [[nodiscard]] std::size_t micro_batches() const { return rounds(s_); }  // of each rank

  // ------------------------------------------------------------------------------------------------- gradients

  // One contribution, in the compute type.
  [[nodiscard]] std::vector<float> one(Contribution const& c) const {
    auto const key = gradient_key(s_, c);
    std::vector<float> g(s_.parameters[c.parameter].count);
    for (std::size_t i = 0; i < g.size(); ++i) {
      float const value = s_.gathers == Gathers::none ? 0.0F : to_compute_(seen_[c.parameter][i]);
      g[i] = to_compute_(scaler_.scale() * gradient(key, value, i));
    }
    auto const bad = bad_element(s_, c.step);
    if (bad && bad->is_of(c)) g[bad->element] = bad->value;
    return g;
  }

  // What one rank has of one parameter at the end of a micro-batch: the sum of what was handed over, in the compute
  // type and in the order of arrival.
  [[nodiscard]] std::vector<float> of_rank(Contribution c) const {
    std::vector<float> total(s_.parameters[c.parameter].count, 0.0F);
    bool first = true;
    for (auto index : order(c)) {
      c.index = index;
      if (is_missing(s_, c)) continue;
      bool const adds = !first || is_zeroed(s_, c);
      auto const g = one(c);
      for (std::size_t i = 0; i < total.size(); ++i) {
        float const sum = adds ? total[i] + g[i] : g[i];
        total[i] = is(Mutant::contributions_rounded_once) ? sum : to_compute_(sum);
      }
      first = false;
    }
    if (is(Mutant::contributions_rounded_once)) {
      for (auto& g : total) g = to_compute_(g);
    }
    return total;
  }
  [[nodiscard]] std::vector<std::size_t> order(Contribution const& c) const {
    auto found = contribution_order(s_, c);
    if (is(Mutant::contributions_in_registered_order)) std::sort(found.begin(), found.end());
    return found;
  }

  void add(std::vector<float>& sum, std::vector<float> const& addend, bool first) const {
    bool const at_the_end = is(Mutant::sum_rounded_once);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      float const next = first ? addend[i] : sum[i] + addend[i];
      sum[i] = at_the_end ? next : to_sum_(next);
    }
  }

  // Whether a rank has a gradient in a round.
  [[nodiscard]] bool counts(std::size_t rank, std::size_t a) const {
    return has_micro_batch(s_, rank, a) || is(Mutant::absent_ranks_add_zeros);
  }
  // The sum of a step, in one of two orders.
  [[nodiscard]] std::vector<float> sum_of(std::size_t step, std::size_t p) const {
    bool const in_sequence = s_.micro_batches > 0 && s_.reduce == ReduceOrder::standard;
    bool const each = s_.reduce == ReduceOrder::each_micro_batch || s_.stage >= 2 || in_sequence || rounds(s_) == 1;
    std::vector<float> sum(s_.parameters[p].count);
    if (each && !is(Mutant::sum_once_per_step_always)) {
      sum_each_micro_batch(sum, step, p);
    } else {
      for (std::size_t rank = 0; rank < std::min(world(), total_micro_batches(s_)); ++rank) {
        std::vector<float> local(sum.size());
        for (std::size_t a = 0; a < micro_batches(); ++a) {
          if (counts(rank, a)) add(local, of_rank({step, rank, a, p}), a == 0);
        }
        add(sum, local, rank == 0);
      }
    }
    if (is(Mutant::sum_rounded_once)) {
      for (auto& g : sum) g = to_sum_(g);
    }
    return sum;
  }
  void sum_each_micro_batch(std::vector<float>& sum, std::size_t step, std::size_t p) const {
    for (std::size_t k = 0; k < world() * micro_batches(); ++k) {
      std::size_t rank = k % world(), a = k / world();
      if (!counts(rank, a)) continue;
      if (is(Mutant::sum_of_ranks_reversed)) rank = world() - 1 - rank;
      if (is(Mutant::sum_rank_by_rank)) rank = k / micro_batches(), a = k % micro_batches();
      add(sum, of_rank({step, rank, a, p}), k == 0);
    }
  }

  // ------------------------------------------------------------------------------------------------- the decision

  [[nodiscard]] double addends(std::size_t step) const {
    double const all =
        static_cast<double>(is(Mutant::rounds_counted_whole) ? world() * micro_batches() : total_micro_batches(s_));
    if (!is(Mutant::multiplier_of_arrivals)) return all;
    double missing = 0.0;
    for (std::size_t k = 0; k < world() * micro_batches(); ++k)
      missing += is_missing(s_, {step, k % world(), k / world(), 0});
    return std::max(1.0, all - missing);
  }

  [[nodiscard]] double clip_of(std::size_t step, double norm, double average) const {
    double const limit = step_clipping(s_, step).value_or(s_.clipping);
    if (!(limit > 0.0)) return 1.0;
    if (is(Mutant::clipping_of_the_scaled_norm)) norm /= average;
    return std::min(1.0, limit / (is(Mutant::clipping_without_epsilon) ? norm : norm + 1e-6));
  }

  // ------------------------------------------------------------------------------------------------- a step

  void take(std::size_t step) {
    sums_.clear();
    for (std::size_t p = 0; p < s_.parameters.size(); ++p) {
      sums_.push_back(s_.parameters[p].frozen ? std::vector<float>{} : sum_of(step, p));
    }
    StepOutcome now;
    now.scale = scaler_.scale();
    double const average = 1.0 / (addends(step) * static_cast<double>(now.scale));
    if (is_read(s_, step)) now.gradients = averaged(average);
    PlainNorm const norm(sums_, mutant_);
    now.norm = std::sqrt(norm.sum_of_squares()) * average;
    now.clip = clip_of(step, now.norm, average);
    now.bad_parameter = norm.first_bad_parameter();
    now.skips = now.bad_parameter >= 0;
    if (s_.delayed && !is(Mutant::delayed_update_at_once)) seen_ = values_;
    if (!now.skips || is(Mutant::skipped_step_counts)) ++updates_;
    if (now.skips) ++skipped_;
    double multiplied = average;
    if (is(Mutant::scaler_before_the_update)) {
      PlainScaler next = scaler_;
      next.after_step(now.skips);
      multiplied = 1.0 / (addends(step) * static_cast<double>(next.scale()));
    }
    if (!now.skips || is(Mutant::skipped_step_updates)) update(step, multiplied, now.clip);
    scaler_.after_step(now.skips);
    finish(step, std::move(now));
  }

  void finish(std::size_t step, StepOutcome now) {
    if (!s_.delayed || is(Mutant::delayed_update_at_once)) seen_ = values_;
    now.updates = updates_, now.skipped = skipped_, now.next_scale = scaler_.scale();
    now.at_minimum = scaler_.exhausted();
    now.told = !(now.at_minimum && s_.fails_at_minimum);
    if (is_published(s_, step)) seen_ = values_;
    if (auto const p = edited_parameter(s_, step)) {
      for (std::size_t i = 0; i < values_[*p].size(); ++i) {
        float const value = edited_value(s_, step, i);
        values_[*p][i] = s_.parameters[*p].frozen ? to_compute_(value) : value;
      }
      seen_[*p] = values_[*p];
    }
    if (is_evaluated(s_, step)) now.seen = rounded(seen_);
    outcome_.steps.push_back(std::move(now));
  }

  void update(std::size_t step, double average, double clip) {
    std::vector<PlainRule> rules;
    double const lr = step_lr(s_, step).value_or(s_.lr);
    for (auto const& group : s_.groups) {
      double const of_group = is(Mutant::group_factor_rounded)
                                  ? static_cast<double>(static_cast<float>(lr) * static_cast<float>(group.lr_factor))
                                  : lr * group.lr_factor;
      bool const own = group.weight_decay >= 0.0 && !is(Mutant::group_decay_ignored);
      rules.emplace_back(s_, of_group, own ? group.weight_decay : s_.weight_decay, std::max<std::uint64_t>(updates_, 1),
                         mutant_);
    }
    bool const two = is(Mutant::multiplier_in_two_factors);
    auto const multiplier = static_cast<float>(two ? average : average * clip);
    for (std::size_t p = 0; p < values_.size(); ++p) {
      for (std::size_t i = 0; i < sums_[p].size(); ++i) {
        float g = sums_[p][i] * multiplier;
        if (two) g *= static_cast<float>(clip);
        rules[s_.parameters[p].group](values_[p][i], g, states_[p][i]);
        if (is(Mutant::master_parameters_rounded)) values_[p][i] = to_compute_(values_[p][i]);
      }
    }
  }

  // ------------------------------------------------------------------------------------------------- to look at

  [[nodiscard]] Values averaged(double average) const {
    Values gradients = sums_;
    for (auto& gradient : gradients) {
      for (auto& g : gradient) g = static_cast<float>(static_cast<double>(g) * average);
    }
    return gradients;
  }
  [[nodiscard]] Values rounded(Values values) const {
    for (auto& parameter : values) {
      for (auto& value : parameter) value = to_compute_(value);
    }
    return values;
  }
  [[nodiscard]] Values states(std::size_t k) const {
    Values all;
    for (std::size_t p = 0; p < states_.size(); ++p) {
      auto& of_parameter = all.emplace_back();
      if (s_.parameters[p].frozen) continue;
      for (auto const& element : states_[p]) of_parameter.push_back(element[k]);
    }
    return all;
  }

  Scenario const& s_;
  Mutant mutant_;
  Rounding to_compute_, to_sum_;
  PlainScaler scaler_;
  Values values_, seen_;  // seen by forward and backward
  Values sums_;
  std::vector<std::vector<RuleStates>> states_;
  std::uint64_t updates_ = 0, skipped_ = 0;
  Outcome outcome_;
};

}  // namespace

Outcome train_plainly(Scenario const& scenario, Mutant mutant) { return PlainTraining(scenario, mutant).train(); }

}  // namespace differential
