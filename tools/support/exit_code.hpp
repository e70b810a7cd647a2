// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>
#include <string_view>

namespace command_line {

/// What a program ends with. A number means the same in every program, so that a script can tell them apart.
enum class ExitCode {
  done = 0,
  failed = 1,
  usage = 2,
  stopped = 3,
  data = 4,
  damaged = 5,
  diverged = 6,
  nothing_fits = 7,
};

/// What the help says of \p code.
[[nodiscard]] constexpr std::string_view meaning(ExitCode code) noexcept {
  switch (code) {
    case ExitCode::done:
      return "done";
    case ExitCode::failed:
      return "failed on the way: out of memory, a full disk, a device";
    case ExitCode::usage:
      return "a command line that cannot be run";
    case ExitCode::stopped:
      return "stopped by SIGTERM, SIGINT or SIGUSR1; what was done is saved";
    case ExitCode::data:
      return "an input that is missing, or is not what it should be";
    case ExitCode::damaged:
      return "a damaged checkpoint or file of tensors";
    case ExitCode::diverged:
      return "the training has diverged";
    case ExitCode::nothing_fits:
      return "no setting fits the memory that was given";
  }
  return "";
}

}  // namespace command_line
