// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <zero/checkpoint/manifest.hpp>

#include <map>
#include <string>

namespace gpt2 {

/// Options by their names, with values as a command line has them.
using NamedOptions = std::map<std::string, std::string, std::less<>>;

/// What of \p options decides how a run goes, with what its defaults stand for.
[[nodiscard]] NamedOptions run_options(Options const& options);

/// \name What a checkpoint holds of it, in one text of the caller's own.
/// @{
inline constexpr char const* saved_options_key = "options";
[[nodiscard]] std::string to_text(NamedOptions const& options);
/// Empty where there is none, as in checkpoints of earlier versions.
[[nodiscard]] NamedOptions saved_options(zero::UserState const& state);
/// @}

/// Adds those values of a configuration that change the bits and that no option says, by their keys.
void take_configuration_values(std::string const& configuration, NamedOptions& named);

/// What a user is told who resumes a run with other options: lines, or nothing where they are equal.
[[nodiscard]] std::string differences(NamedOptions const& saved, NamedOptions const& now);

}  // namespace gpt2
