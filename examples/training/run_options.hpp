// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "options.hpp"

#include <zero/checkpoint/manifest.hpp>

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace training {

/// Options by their names, with values as a command line has them.
using NamedOptions = std::map<std::string, std::string, std::less<>>;

/// \name What of a run's options decides how it goes: those that trainers share, with what their defaults stand for.
/// @{
[[nodiscard]] bool is_kept(std::string_view name);
void say_defaults(CommonOptions const& options, NamedOptions& named);
/// The options of \p command that decide: those of `is_kept`, and the program's own, \p names.
template <class Options>
[[nodiscard]] NamedOptions named_options(command_line::Command<Options> const& command, Options const& options,
                                         std::span<char const* const> names) {
  NamedOptions named;
  for (auto const& group : command.groups) {
    for (auto const& option : group.options) {
      bool const is_own = std::find(names.begin(), names.end(), option.name) != names.end();
      if (is_own || is_kept(option.name)) named[std::string(option.name)] = option.setting.get(options);
    }
  }
  say_defaults(options, named);
  return named;
}
/// @}

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

}  // namespace training
