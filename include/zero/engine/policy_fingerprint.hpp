// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/rank_agreement.hpp>
#include <zero/error.hpp>
#include <zero/kernels/real.hpp>
#include <zero/parameter.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace zero::detail {

/// A policy's own check, as the library's error.
template <class Policy>
ZERO_OUT_OF_LINE void validate(typename Policy::Config const& config) {
  try {
    Policy::validate(config);
  } catch (std::invalid_argument const& error) {
    throw ConfigurationError(error.what());
  }
}

/// The rule's configuration as a group sees it.
template <class Rule>
typename Rule::Config group_config(typename Rule::Config config, ParameterGroup const& group, double lr) {
  config.lr = static_cast<decltype(config.lr)>(lr * group.lr_factor);
  if constexpr (requires { config.weight_decay; }) {
    if (group.weight_decay) config.weight_decay = static_cast<decltype(config.weight_decay)>(*group.weight_decay);
  } else {
    enforce(!group.weight_decay,
            "zero::Engine: a group sets weight_decay, which this rule does not have: leave it out");
  }
  return config;
}

/// What a rule's settings do to one element, at the first steps: equal settings, equal bits. Its Config may have
/// padding and members that cannot be compared.
template <class Rule>
ZERO_OUT_OF_LINE std::uint64_t fingerprint_of_rule(typename Rule::Config const& config) {
  Fingerprint fingerprint;
  for (float const unit : {1.0F, 0x1p-40F}) {  // beside a large parameter and gradient a small setting would not show
    Real1 parameter(unit);
    States<Real1, Rule::state_count> states{};
    for (std::size_t k = 0; k < Rule::state_count; ++k) states[k] = Real1(0.25F * unit * unit);
    for (std::uint64_t step = 1; step <= 4; ++step) {
      Rule::update(parameter, Real1(0.5F * unit / static_cast<float>(step)), states, Rule::constants(config, step));
      fingerprint.add(parameter);
      for (std::size_t k = 0; k < Rule::state_count; ++k) fingerprint.add(states[k]);
    }
  }
  return fingerprint.value();
}

/// The scales that a scaler takes over clean steps and overflows.
template <class Scaler>
ZERO_OUT_OF_LINE std::uint64_t fingerprint_of_scaler(typename Scaler::Config const& config) {
  Fingerprint fingerprint;
  auto state = Scaler::initial(config);
  for (int i = 0; i < 6000; ++i) {
    state = Scaler::update(config, state, i % 2000 >= 1990);
    fingerprint.add(static_cast<float>(state.scale));
  }
  return fingerprint.value();
}

}  // namespace zero::detail
