// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <doctest/doctest.h>

#include <sys/wait.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace zero_test {

/// What a program has left behind.
struct Outcome {
  int code = -1;         ///< its exit code; -1 where a signal has ended it
  std::string output{};  ///< what it wrote to standard output, and to what was led there
};

/// Runs \p command through the shell, which what the test has quoted in it goes through. Blocks.
inline Outcome run_command(std::string const& command) {
  Outcome outcome;
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::array<char, 4096> part{};
  while (std::size_t const bytes = std::fread(part.data(), 1, part.size(), pipe))
    outcome.output.append(part.data(), bytes);
  int const status = ::pclose(pipe);
  if (WIFEXITED(status)) outcome.code = WEXITSTATUS(status);
  return outcome;
}

/// The Python that tests run scripts with, as a word of the shell.
inline std::string python() {
  char const* const chosen = std::getenv("ZERO_TEST_PYTHON");
  return "'" + std::string(chosen != nullptr ? chosen : "python3") + "'";
}

}  // namespace zero_test
