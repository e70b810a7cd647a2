// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/kernels/rule_facts.hpp>
#include <zero/optimizer.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace own {

/// RMSprop with momentum, as `torch.optim.RMSprop` defines it, written over an operations type.
struct RmsProp {
  static constexpr std::size_t state_count = 2;
  static constexpr zero::RuleFacts facts{
      .name = "RMSprop", .state_names = {"square_avg", "momentum_buffer"}, .validates = true};
  struct Config {
    double lr = 1e-2;
    double smoothing = 0.99;
    double eps = 1e-8;
    double momentum = 0.0;
    double weight_decay = 0.0;
  };
  struct Constants {
    float minus_lr, smoothing, one_minus_smoothing, eps, momentum, weight_decay;
  };
  static void validate(Config const& config) {
    if (!(config.smoothing >= 0.0 && config.smoothing < 1.0)) {
      throw std::invalid_argument("own::RmsProp: smoothing must be a number in [0, 1)");
    }
  }
  ZERO_HOST_DEVICE static Constants constants(Config const& c, std::uint64_t /*step*/) {
    return {.minus_lr = zero::Double(-c.lr).to_float(),
            .smoothing = zero::Double(c.smoothing).to_float(),
            .one_minus_smoothing = (zero::Double(1.0) - zero::Double(c.smoothing)).to_float(),
            .eps = zero::Double(c.eps).to_float(),
            .momentum = zero::Double(c.momentum).to_float(),
            .weight_decay = zero::Double(c.weight_decay).to_float()};
  }
  template <class Real>
  ZERO_HOST_DEVICE static void update(Real& p, Real const& gradient, zero::States<Real, 2>& s, Constants const& c) {
    Real const g = fma(Real(c.weight_decay), p, gradient);
    s[0] = fma(Real(c.smoothing), s[0], Real(c.one_minus_smoothing) * (g * g));
    s[1] = fma(Real(c.momentum), s[1], g / (sqrt(s[0]) + Real(c.eps)));
    p = fma(Real(c.minus_lr), s[1], p);
  }
};
static_assert(zero::update_rule<RmsProp>);

}  // namespace own
