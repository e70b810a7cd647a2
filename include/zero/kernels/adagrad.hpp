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

/// Adagrad with learning-rate decay and L2 weight decay λ (Duchi, Hazan and Singer, "Adaptive Subgradient Methods",
/// 2011, diagonal form), as PyTorch defines it (`torch.optim.Adagrad`, whose accumulator starts at zero):
///
///   g ← g + λ p                          fma(λ, p, g)
///   s ← s + g²                           fma(g, g, s)
///   p ← p − lr / (1 + (t − 1) η) · g / (√s + ε)    fma(−lr/(1 + (t − 1) η), g / (√s + ε), p)     η: lr_decay
struct Adagrad {
  /// fp32 states per element.
  static constexpr std::size_t state_count = 1;
  /// Names, which ranks compare and checkpoints hold, and what the rule has besides.
  static constexpr RuleFacts facts{.name = "Adagrad", .state_names = {"sum"}, .validates = true};

  /// Settings, per group of parameters.
  struct Config {
    double lr = 1e-2;           ///< learning rate, not negative
    double lr_decay = 0.0;      ///< the learning rate of step t is lr / (1 + (t - 1) lr_decay)
    double eps = 1e-10;         ///< added to the denominator
    double weight_decay = 0.0;  ///< λ above; a group may have its own
  };
  /// What one step needs of the settings, each rounded to fp32 once.
  struct Constants {
    float minus_lr,    ///< -lr of this step
        eps,           ///< ε
        weight_decay;  ///< λ
  };

  /// \p step counts from 1.
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t step) {
    FloatingPointGuard const guard;
    Double const earlier_steps = static_cast<double>(step - 1);
    return {.minus_lr = (-Double(c.lr) / (Double(1.0) + earlier_steps * Double(c.lr_decay))).to_float(),
            .eps = Double(c.eps).to_float(),
            .weight_decay = Double(c.weight_decay).to_float()};
  }

  /// The formula above, for one element or one vector of elements.
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& gradient, States<Real, 1>& s, Constants const& c) {
    Real const g = (fma)(Real(c.weight_decay), p, gradient);
    s[0] = (fma)(g, g, s[0]);
    p = (fma)(Real(c.minus_lr), g / (sqrt(s[0]) + Real(c.eps)), p);
  }

  /// \throws std::invalid_argument naming the setting that cannot be.
  static void validate(Config const& c) {
    detail::require_not_negative("Adagrad", "lr", c.lr);
    detail::require_not_negative("Adagrad", "lr_decay", c.lr_decay);
    detail::require_not_negative("Adagrad", "eps", c.eps);
    detail::require_not_negative("Adagrad", "weight_decay", c.weight_decay);
  }
};

}  // namespace zero
