// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The plain loop's update rules, in the order of operations that the library's documentation promises. Nothing of zero
// is included.

#include "differential/mutants.hpp"
#include "differential/scenario.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace differential {

using RuleStates = std::array<float, 2>;

[[nodiscard]] inline std::size_t state_count(Rule rule) { return rule == Rule::adam || rule == Rule::adamw ? 2 : 1; }

/// A power by repeated squaring.
[[nodiscard]] inline double power_of(double base, std::uint64_t exponent) {
  if (exponent == 0) return 1.0;
  double result = 1.0;
  for (;;) {
    if (exponent % 2 == 1) result *= base;
    exponent /= 2;
    if (exponent == 0) return result;
    base *= base;
  }
}

/// One step of one rule for one group, its constants rounded to float once.
class PlainRule {
 public:
  /// \p step counts updates from 1.
  PlainRule(Scenario const& s, double lr, double weight_decay, std::uint64_t step, Mutant mutant)
      : s_(s), lr_(lr), decay_(weight_decay), step_(step), mutant_(mutant) {}

  void operator()(float& p, float g, RuleStates& states) const {
    switch (s_.rule) {
      case Rule::sgd:
        return sgd(p, g, states[0]);
      case Rule::lion:
        return lion(p, g, states[0]);
      case Rule::adagrad:
        return adagrad(p, g, states[0]);
      default:
        return adam(p, g, states);
    }
  }

 private:
  static float f(double x) { return static_cast<float>(x); }
  [[nodiscard]] bool is(Mutant mutant) const { return mutant_ == mutant; }

  void adam(float& p, float g, RuleStates& s) const {
    bool const decoupled = s_.rule == Rule::adamw || is(Mutant::adam_decay_decoupled);
    bool const late = is(Mutant::adamw_decay_after_the_step) && decoupled;
    std::uint64_t const t = step_ + (is(Mutant::adam_bias_correction_of_the_next_step) ? 1 : 0);
    double const correction1 = 1.0 - power_of(s_.beta1, t), correction2 = 1.0 - power_of(s_.beta2, t);
    float const decay = f(1.0 - lr_ * decay_);
    if (!decoupled) g = std::fma(f(decay_), p, g);
    float const share = f(1.0 - s_.beta1) * g;
    s[0] = is(Mutant::adam_first_moment_unfused) ? f(s_.beta1) * s[0] + share : std::fma(f(s_.beta1), s[0], share);
    float const square =
        is(Mutant::adam_square_grouped_otherwise) ? f(1.0 - s_.beta2) * g * g : f(1.0 - s_.beta2) * (g * g);
    s[1] = std::fma(f(s_.beta2), s[1], square);
    float const inverse = f(1.0 / std::sqrt(correction2));
    float const denominator = is(Mutant::adam_epsilon_inside_the_root) ? std::sqrt(s[1] + f(s_.eps)) * inverse
                                                                       : std::fma(std::sqrt(s[1]), inverse, f(s_.eps));
    if (decoupled && !late) p *= decay;
    p = std::fma(f(-lr_ / correction1), s[0] / denominator, p);
    if (late) p *= decay;
  }

  void sgd(float& p, float g, float& buffer) const {
    bool const first = step_ == 1 && !is(Mutant::sgd_first_step_like_the_others);
    float const momentum = f(s_.momentum), old = buffer;
    float const fresh = first || s_.momentum == 0.0 ? 1.0F : f(1.0 - s_.dampening);
    g = std::fma(f(decay_), p, g);
    buffer = std::fma(first ? 0.0F : momentum, old, fresh * g);
    float const ahead = is(Mutant::sgd_nesterov_with_the_old_buffer) ? old : buffer;
    float const direction = std::fma(g, s_.nesterov ? 1.0F : 0.0F, s_.nesterov ? momentum * ahead : buffer);
    p = is(Mutant::sgd_step_unfused) ? f(-lr_) * direction + p : std::fma(f(-lr_), direction, p);
  }

  void lion(float& p, float g, float& average) const {
    float const old = average;
    average = std::fma(f(s_.beta2), old, f(1.0 - s_.beta2) * g);
    float const c =
        is(Mutant::lion_sign_of_the_new_average) ? average : std::fma(f(s_.beta1), old, f(1.0 - s_.beta1) * g);
    float const zero = is(Mutant::lion_sign_of_zero_is_one) ? 1.0F : 0.0F;
    float const sign = c > 0.0F ? 1.0F : c < 0.0F ? -1.0F : zero;
    p = std::fma(f(-lr_), sign, p * f(1.0 - lr_ * decay_));
  }

  void adagrad(float& p, float g, float& sum) const {
    g = std::fma(f(decay_), p, g);
    sum = std::fma(g, g, sum);
    auto const earlier = static_cast<double>(step_ - (is(Mutant::adagrad_rate_of_the_next_step) ? 0 : 1));
    float const rate = f(-lr_ / (1.0 + earlier * s_.lr_decay));
    float const denominator =
        is(Mutant::adagrad_epsilon_inside_the_root) ? std::sqrt(sum + f(s_.eps)) : std::sqrt(sum) + f(s_.eps);
    p = std::fma(rate, g / denominator, p);
  }

  Scenario const& s_;
  double lr_, decay_;
  std::uint64_t step_;
  Mutant mutant_;
};

}  // namespace differential
