// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/engine/policies.hpp>
#include <zero/engine/settings.hpp>
#include <zero/error.hpp>
#include <zero/kernels/detail/rule_settings.hpp>
#include <zero/support/message.hpp>
#include <zero/support/out_of_line.hpp>
#include <zero/utility/fingerprint.hpp>

#include <optional>
#include <string_view>

namespace zero::detail {

/// What is not given is not part of it: the same agreement as where no rule takes it.
inline void add_settings(Fingerprint& fingerprint, RuleSettings const& settings) {
  fingerprint.add(settings.lr);
  if (settings.momentum) fingerprint.add('m'), fingerprint.add(*settings.momentum);
  if (settings.beta2) fingerprint.add('b'), fingerprint.add(*settings.beta2);
}

/// \throws ConfigurationError for a momentum that no rule can take. \p option is its name.
ZERO_OUT_OF_LINE inline void check_momentum(std::string_view option, std::optional<double> const& value) {
  if (!value || (is_finite(*value) && *value >= 0 && *value < 1)) return;
  fail<ConfigurationError>({"zero::Engine: ", option,
                            " of a step must be in [0, 1), e.g. 0.9: a schedule that grows must end before it is 1"});
}

/// \throws ConfigurationError for what cannot work with the rule of \p traits.
ZERO_OUT_OF_LINE inline void check_rule_settings(RuleSettings const& settings, PolicyTraits const& traits) {
  check_lr(settings.lr);
  check_momentum("momentum", settings.momentum);
  check_momentum("beta2", settings.beta2);
  bool const lacks_momentum = settings.momentum && !traits.takes_momentum;
  if (!lacks_momentum && (!settings.beta2 || traits.takes_beta2)) return;
  std::string_view const option = lacks_momentum ? "momentum" : "beta2";
  fail<ConfigurationError>({"zero::Engine: ", option, " is given for a step, but the rule ", quote(traits.rule),
                            " takes none per step: leave it out; a rule of your own takes one by its set_", option});
}

}  // namespace zero::detail
