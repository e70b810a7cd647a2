// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "differential/scenario.hpp"

#include <string>

namespace differential {

/// A scenario as one line: `name=value` for what differs from the default, then `group=lr_factor:weight_decay` and
/// `parameter=count:unit:group:contributions:flags` for each; flags are letters: f frozen, v values and g gradients
/// adopted, - none of these.
[[nodiscard]] std::string to_line(Scenario const& scenario);

/// The other way round. \throws std::invalid_argument naming the word that cannot be read.
[[nodiscard]] Scenario from_line(std::string const& line);

}  // namespace differential
