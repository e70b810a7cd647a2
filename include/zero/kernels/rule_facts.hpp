// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace zero {

/// What a rule says of itself, all of it optional: `static constexpr RuleFacts facts{.name = "Lion"};`.
struct RuleFacts {
  /// States that can have a name.
  static constexpr std::size_t most_names = 8;

  std::string_view name = "of the user's";  ///< compared over ranks, and written into checkpoints
  /// Names of the rule's states in checkpoints; the k-th is state_k where it has none.
  std::array<std::string_view, most_names> state_names{};
  /// `validate(config)` throws std::invalid_argument or ConfigurationError for settings that cannot work.
  bool validates = false;
};

/// A rule whose momentum may differ from step to step (StepOptions::momentum) has
/// `static void set_momentum(Config&, double)`, which writes one in [0, 1) where `constants` reads it. On the host.
template <class Rule>
concept momentum_rule = requires(typename Rule::Config& config, double momentum) {
  Rule::set_momentum(config, momentum);
};
/// The same of β₂ (StepOptions::beta2): `static void set_beta2(Config&, double)`.
template <class Rule>
concept beta2_rule = requires(typename Rule::Config& config, double beta2) {
  Rule::set_beta2(config, beta2);
};

/// The facts of \p Rule; the defaults where it publishes none.
template <class Rule>
[[nodiscard]] constexpr RuleFacts rule_facts() noexcept {
  if constexpr (requires { Rule::facts; }) {
    return Rule::facts;
  } else {
    return {};
  }
}

}  // namespace zero
