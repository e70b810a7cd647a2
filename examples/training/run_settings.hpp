// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <zero/config/settings.hpp>

#include <functional>
#include <string>
#include <vector>

namespace training {

/// What the options ask of an engine and its run, complete, as a configuration has it.
[[nodiscard]] zero::config::Settings settings_of(CommonOptions const& options);

/// Whether a skipped step lowers the loss scale: that of a dynamic scaler.
[[nodiscard]] bool lowers_scale(CommonOptions const& options);

/// Takes what the file of --config says into \p options, which know the number of ranks by now. Options that were given
/// beside it win. Returns what a user is told: lines, without their ends. \throws UsageError.
/// \p check looks at what the options are worth together then.
[[nodiscard]] std::vector<std::string> take_configuration(CommonOptions& options, std::function<void()> const& check);

/// Where a checkpoint holds the whole configuration of its run, from a file or from options.
inline constexpr char const* saved_configuration_key = "configuration";

}  // namespace training
