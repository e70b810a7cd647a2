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
  /// `set_momentum(config, momentum)` writes the momentum of one step (StepOptions::momentum), in [0, 1), where
  /// `constants` reads it. On the host.
  bool sets_momentum = false;
  bool sets_beta2 = false;  ///< the same of β₂ (StepOptions::beta2): `set_beta2(config, beta2)`
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
