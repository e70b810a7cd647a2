// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <zero/support/requirements.hpp>

#include <zero/config/detail/indented_json.hpp>
#include <zero/config/detail/writer.hpp>
#include <zero/config/settings.hpp>

#include <string>

namespace zero::config {

/// \p settings as a configuration: complete, so that `parse` of it in the same world gives the same settings, notes
/// apart. For logs, and to be stored with checkpoints. \throws ConfigError for what a program has filled in and no
/// configuration can say, such as a schedule that is a function.
[[nodiscard]] inline std::string to_json(Settings const& settings) {
  std::string text;
  detail::write_indented(text, detail::Writer(settings).write());
  return text + '\n';
}

}  // namespace zero::config
