// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/kernels/real.hpp>
#include <zero/kernels/rule_facts.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace zero {

/// Stochastic gradient descent with momentum μ, dampening δ, L2 weight decay λ and Nesterov's variant, as PyTorch
/// defines it (`torch.optim.SGD`; Sutskever et al., 2013, differ in where the learning rate enters):
///
///   g ← g + λ p                     fma(λ, p, g)
///   b ← μ b + (1 − δ) g             fma(μ, b, (1 − δ) · g); at the first step, and without momentum, b ← g
///   d = g + μ b, or b               fma(g, nesterov ? 1 : 0, (nesterov ? μ : 1) · b)
///   p ← p − lr d                    fma(−lr, d, p)
///
/// Without momentum the buffer holds the last gradient and is still there: a rule without a state is a few lines, see
/// the example of a custom rule.
struct Sgd {
  /// fp32 states per element.
  static constexpr std::size_t state_count = 1;
  /// Names, which ranks compare and checkpoints hold, and what the rule has besides.
  static constexpr RuleFacts facts{
      .name = "SGD", .state_names = {"momentum_buffer"}, .validates = true, .sets_momentum = true};

  /// Settings, per group of parameters.
  struct Config {
    double lr = 1e-3;           ///< learning rate, not negative
    double momentum = 0.0;      ///< decay of the buffer; 0: none
    double dampening = 0.0;     ///< what is left out of a gradient that enters the buffer
    double weight_decay = 0.0;  ///< λ above; a group may have its own
    bool nesterov = false;      ///< the step looks ahead by one buffer
  };
  /// What one step needs of the settings, each rounded to fp32 once.
  struct Constants {
    float minus_lr,            ///< -lr
        weight_decay;          ///< λ
    float old_buffer,          ///< factor of the buffer in the new buffer
        new_gradient;          ///< factor of the gradient in the new buffer
    float gradient_direction,  ///< factor of the gradient in the step
        buffer_direction;      ///< factor of the buffer in the step
  };

  /// \p step counts from 1; the first overwrites the buffer.
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t step) {
    FloatingPointGuard const guard;
    float const momentum = Double(c.momentum).to_float();
    bool const replaces = step <= 1 || momentum == 0.0F;  // PyTorch ignores dampening without momentum
    return {.minus_lr = (-Double(c.lr)).to_float(),
            .weight_decay = Double(c.weight_decay).to_float(),
            .old_buffer = replaces ? 0.0F : momentum,
            .new_gradient = replaces ? 1.0F : (Double(1.0) - Double(c.dampening)).to_float(),
            .gradient_direction = c.nesterov ? 1.0F : 0.0F,
            .buffer_direction = c.nesterov ? momentum : 1.0F};
  }

  /// The formula above, for one element or one vector of elements.
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& gradient, States<Real, 1>& s, Constants const& c) {
    Real const g = (fma)(Real(c.weight_decay), p, gradient);
    s[0] = (fma)(Real(c.old_buffer), s[0], Real(c.new_gradient) * g);
    Real const direction = (fma)(g, Real(c.gradient_direction), Real(c.buffer_direction) * s[0]);
    p = (fma)(Real(c.minus_lr), direction, p);
  }

  /// \throws std::invalid_argument naming the setting that cannot be.
  static void validate(Config const& c) {
    detail::require_not_negative("Sgd", "lr", c.lr);
    detail::require_below_one("Sgd", "momentum", c.momentum);
    detail::require_not_negative("Sgd", "weight_decay", c.weight_decay);
    detail::require_not_above_one("Sgd", "dampening", c.dampening);
    if (c.nesterov && (c.momentum == 0 || c.dampening != 0)) {
      throw std::invalid_argument(
          "zero::Sgd: nesterov needs momentum and no dampening: write e.g. "
          "{.momentum = 0.9, .dampening = 0, .nesterov = true}");
    }
  }
  /// Of one step; 0 overwrites the buffer.
  static void set_momentum(Config& c, double momentum) { c.momentum = momentum; }
};

}  // namespace zero
