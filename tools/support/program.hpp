// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "support/command_line.hpp"
#include "support/data_error.hpp"
#include "support/exit_code.hpp"
#include "support/help.hpp"
#include "support/version_text.hpp"

#include <zero/error.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <new>
#include <string>
#include <string_view>

namespace command_line {

[[nodiscard]] inline ExitCode exit_code_of(zero::CheckpointFailure failure) noexcept {
  switch (failure) {
    case zero::CheckpointFailure::input_output:
    case zero::CheckpointFailure::no_space:
      return ExitCode::failed;
    case zero::CheckpointFailure::damaged:
      return ExitCode::damaged;
    case zero::CheckpointFailure::not_found:
    case zero::CheckpointFailure::mismatch:
      return ExitCode::data;
    case zero::CheckpointFailure::exists:
    case zero::CheckpointFailure::locked:
    case zero::CheckpointFailure::bad_request:
      break;
  }
  return ExitCode::usage;
}

/// The exit code of a program that \p error ends.
[[nodiscard]] inline ExitCode exit_code_of(std::exception const& error) noexcept {
  if (auto const* const checkpoint = dynamic_cast<zero::CheckpointError const*>(&error)) {
    return exit_code_of(checkpoint->kind());
  }
  bool const usage = dynamic_cast<UsageError const*>(&error) != nullptr ||
                     dynamic_cast<zero::ConfigurationError const*>(&error) != nullptr;
  if (usage) return ExitCode::usage;
  return dynamic_cast<DataError const*>(&error) != nullptr ? ExitCode::data : ExitCode::failed;
}

/// Writes \p text to standard output. \throws std::runtime_error where it cannot.
inline void print(std::string_view text) {
  bool const written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) throw std::runtime_error("standard output: cannot be written");
}

/// What a program says as it fails: one line on standard error, after all that it has written to standard output.
inline int fail(std::string_view program, std::string_view what, ExitCode code) {
  std::fflush(stdout);
  std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(program.size()), program.data(), static_cast<int>(what.size()),
               what.data());
  return static_cast<int>(code);
}

/// The whole of a program's `main`: reads the command line with `parse(words)`, answers --help and --version, and
/// otherwise calls `run(options)`, which returns an ExitCode. An exception becomes a line and its code: that of
/// `code_of`. \p version is only called where it is asked for. A limit on the size of files is an error of the call
/// that meets it, and not the program's end.
template <class Options, class Parse, class Run>
[[nodiscard]] int run_program(
    Command<Options> const& command, Words words, Parse&& parse, Run&& run,
    std::function<std::string()> const& version = {},
    std::function<ExitCode(std::exception const&)> const& code_of = [](std::exception const& error) {
      return exit_code_of(error);
    }) {
  (void)std::signal(SIGXFSZ, SIG_IGN);
  try {
    Options options = parse(words);
    if (options.asked.help || options.asked.version) {
      print(options.asked.help ? help_of(command) : version ? version() : version_of(command.name));
      return 0;
    }
    return static_cast<int>(run(std::move(options)));
  } catch (std::bad_alloc const&) {
    return fail(command.name, "out of memory", ExitCode::failed);
  } catch (std::exception const& error) {
    return fail(command.name, error.what(), code_of(error));
  }
}

}  // namespace command_line
