// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/kernels/real.hpp>
#include <zero/kernels/rule_facts.hpp>

#include <cstddef>
#include <cstdint>

namespace zero {

/// Lion: the sign of an interpolated momentum, with decoupled weight decay (Chen et al., "Symbolic Discovery of
/// Optimization Algorithms", 2023, Algorithm 2; sign(0) = 0):
///
///   c = β₁ m + (1 − β₁) g          fma(β₁, m, (1 − β₁) · g)
///   p ← p (1 − lr λ) − lr sign(c)  fma(−lr, sign(c), p · (1 − lr λ))
///   m ← β₂ m + (1 − β₂) g          fma(β₂, m, (1 − β₂) · g)
struct Lion {
  /// fp32 states per element.
  static constexpr std::size_t state_count = 1;
  /// Names, which ranks compare and checkpoints hold, and what the rule has besides.
  static constexpr RuleFacts facts{
      .name = "Lion", .state_names = {"exp_avg"}, .validates = true, .sets_momentum = true, .sets_beta2 = true};

  /// Settings, per group of parameters.
  struct Config {
    double lr = 1e-4;           ///< learning rate, not negative
    double beta1 = 0.9;         ///< weight of the average in the step, in [0, 1)
    double beta2 = 0.99;        ///< decay of the average, in [0, 1)
    double weight_decay = 0.0;  ///< λ above; a group may have its own
  };
  /// What one step needs of the settings, each rounded to fp32 once.
  struct Constants {
    float minus_lr,       ///< -lr
        decay;            ///< 1 - lr λ
    float beta1,          ///< β₁
        one_minus_beta1,  ///< 1 - β₁
        beta2,            ///< β₂
        one_minus_beta2;  ///< 1 - β₂
  };

  /// The same at every step.
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t) {
    FloatingPointGuard const guard;
    Double const one = 1.0, lr = c.lr, beta1 = c.beta1, beta2 = c.beta2;
    return {.minus_lr = (-lr).to_float(),
            .decay = (one - lr * Double(c.weight_decay)).to_float(),
            .beta1 = beta1.to_float(),
            .one_minus_beta1 = (one - beta1).to_float(),
            .beta2 = beta2.to_float(),
            .one_minus_beta2 = (one - beta2).to_float()};
  }

  /// The formula above, for one element or one vector of elements.
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, States<Real, 1>& s, Constants const& c) {
    Real const interpolated = (fma)(Real(c.beta1), s[0], Real(c.one_minus_beta1) * g);
    p = (fma)(Real(c.minus_lr), sign(interpolated), p * Real(c.decay));
    s[0] = (fma)(Real(c.beta2), s[0], Real(c.one_minus_beta2) * g);
  }

  /// \throws std::invalid_argument naming the setting that cannot be.
  static void validate(Config const& c) {
    detail::require_not_negative("Lion", "lr", c.lr);
    detail::require_below_one("Lion", "beta1", c.beta1);
    detail::require_below_one("Lion", "beta2", c.beta2);
    detail::require_not_negative("Lion", "weight_decay", c.weight_decay);
  }
  /// Of one step: the weight of the average in it.
  static void set_momentum(Config& c, double beta1) { c.beta1 = beta1; }
  /// Of one step: the decay of the average.
  static void set_beta2(Config& c, double beta2) { c.beta2 = beta2; }
};

}  // namespace zero
