// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/kernels/real.hpp>
#include <zero/kernels/rule_facts.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zero {

/// What Adam and AdamW need of their settings for one step, each rounded to fp32 once. They share the two moments and
/// the step (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2015, Algorithm 1; epsilon outside the root,
/// after bias correction, as in PyTorch):
///
///   m ← β₁ m + (1 − β₁) g             fma(β₁, m, (1 − β₁) · g)
///   v ← β₂ v + (1 − β₂) g²            fma(β₂, v, (1 − β₂) · (g · g))
///   u = m / (√v / √(1 − β₂ᵗ) + ε)     m / fma(√v, 1/√(1 − β₂ᵗ), ε)
///   p ← q − lr / (1 − β₁ᵗ) u          fma(−lr/(1 − β₁ᵗ), u, q)        q: the parameter, decayed by AdamW
struct AdamConstants {
  float beta1;                      ///< β₁
  float one_minus_beta1;            ///< 1 − β₁
  float beta2;                      ///< β₂
  float one_minus_beta2;            ///< 1 − β₂
  float inverse_root_correction2;   ///< 1 / √(1 − β₂ᵗ)
  float eps;                        ///< ε
  float minus_lr_over_correction1;  ///< −lr / (1 − β₁ᵗ)
  float decay;                      ///< Adam: λ, added to the gradient times p; AdamW: 1 − lr λ, times p
};

namespace detail {

template <class Config>
ZERO_HOST_DEVICE AdamConstants adam_constants(Config const& c, Double decay, std::uint64_t step) {
  Double const one = 1.0, beta1 = c.beta1, beta2 = c.beta2;
  Double const correction1 = one - power(c.beta1, step), correction2 = one - power(c.beta2, step);
  return {.beta1 = beta1.to_float(),
          .one_minus_beta1 = (one - beta1).to_float(),
          .beta2 = beta2.to_float(),
          .one_minus_beta2 = (one - beta2).to_float(),
          .inverse_root_correction2 = (one / sqrt(correction2)).to_float(),
          .eps = Double(c.eps).to_float(),
          .minus_lr_over_correction1 = (-Double(c.lr) / correction1).to_float(),
          .decay = decay.to_float()};
}

template <class Real>
ZERO_HOST_DEVICE ZERO_INLINE void adam_moments(Real const& g, States<Real, 2>& s, AdamConstants const& c) {
  s[0] = (fma)(Real(c.beta1), s[0], Real(c.one_minus_beta1) * g);
  s[1] = (fma)(Real(c.beta2), s[1], Real(c.one_minus_beta2) * (g * g));
}

template <class Real>
ZERO_HOST_DEVICE ZERO_INLINE Real adam_step(Real const& q, States<Real, 2> const& s, AdamConstants const& c) {
  Real const denominator = (fma)(sqrt(s[1]), Real(c.inverse_root_correction2), Real(c.eps));
  return (fma)(Real(c.minus_lr_over_correction1), s[0] / denominator, q);
}

template <class Config>
void validate_adam(char const* rule, Config const& c) {
  require_not_negative(rule, "lr", c.lr);
  require_below_one(rule, "beta1", c.beta1);
  require_below_one(rule, "beta2", c.beta2);
  require_not_negative(rule, "eps", c.eps);
  require_not_negative(rule, "weight_decay", c.weight_decay);
}

[[nodiscard]] constexpr RuleFacts adam_facts(std::string_view rule) noexcept {
  return {.name = rule,
          .state_names = {"exp_avg", "exp_avg_sq"},
          .validates = true,
          .sets_momentum = true,
          .sets_beta2 = true};
}

}  // namespace detail

/// Adam with L2 regularization: the decay joins the gradient, and so both moments; `torch.optim.Adam`.
///
///   g ← g + λ p     fma(λ, p, g), then the moments and the step above with q = p
struct Adam {
  /// fp32 states per element.
  static constexpr std::size_t state_count = 2;
  /// Names, which ranks compare and checkpoints hold, and what the rule has besides.
  static constexpr RuleFacts facts = detail::adam_facts("Adam");

  /// Settings, per group of parameters.
  struct Config {
    double lr = 1e-3;           ///< learning rate, not negative
    double beta1 = 0.9;         ///< decay of the average gradient, in [0, 1)
    double beta2 = 0.999;       ///< decay of the average squared gradient, in [0, 1)
    double eps = 1e-8;          ///< added to the denominator
    double weight_decay = 0.0;  ///< λ above; a group may have its own
  };
  /// What one step needs of the settings, each rounded to fp32 once.
  using Constants = AdamConstants;

  /// \p step counts from 1. In double, each constant rounded once.
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t step) {
    FloatingPointGuard const guard;
    return detail::adam_constants(c, c.weight_decay, step);
  }

  /// The formula above, for one element or one vector of elements.
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, States<Real, 2>& s, Constants const& c) {
    detail::adam_moments((fma)(Real(c.decay), p, g), s, c);
    p = detail::adam_step(p, s, c);
  }

  /// \throws std::invalid_argument naming the setting that cannot be.
  static void validate(Config const& c) { detail::validate_adam("Adam", c); }
  /// Of one step: the average decays with it, and the bias correction is of its power, as in PyTorch.
  static void set_momentum(Config& c, double beta1) { c.beta1 = beta1; }
  /// The same of the average of squares.
  static void set_beta2(Config& c, double beta2) { c.beta2 = beta2; }
};

/// Adam with decoupled weight decay (Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019, Algorithm
/// 2); `torch.optim.AdamW`.
///
///   q = p (1 − lr λ)     p · (1 − lr λ), then the step above from q
struct AdamW {
  /// fp32 states per element.
  static constexpr std::size_t state_count = 2;
  /// Names, which ranks compare and checkpoints hold, and what the rule has besides.
  static constexpr RuleFacts facts = detail::adam_facts("AdamW");

  /// Settings, per group of parameters.
  struct Config {
    double lr = 1e-3;            ///< learning rate, not negative
    double beta1 = 0.9;          ///< decay of the average gradient, in [0, 1)
    double beta2 = 0.999;        ///< decay of the average squared gradient, in [0, 1)
    double eps = 1e-8;           ///< added to the denominator
    double weight_decay = 0.01;  ///< λ above; a group may have its own
  };
  /// What one step needs of the settings, each rounded to fp32 once.
  using Constants = AdamConstants;

  /// \p step counts from 1. In double, each constant rounded once.
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t step) {
    FloatingPointGuard const guard;
    return detail::adam_constants(c, Double(1.0) - Double(c.lr) * Double(c.weight_decay), step);
  }

  /// The formula above, for one element or one vector of elements.
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& g, States<Real, 2>& s, Constants const& c) {
    detail::adam_moments(g, s, c);
    p = detail::adam_step(p * Real(c.decay), s, c);
  }

  /// \throws std::invalid_argument naming the setting that cannot be.
  static void validate(Config const& c) { detail::validate_adam("AdamW", c); }
  /// Of one step: the average decays with it, and the bias correction is of its power, as in PyTorch.
  static void set_momentum(Config& c, double beta1) { c.beta1 = beta1; }
  /// The same of the average of squares.
  static void set_beta2(Config& c, double beta2) { c.beta2 = beta2; }
};

}  // namespace zero
