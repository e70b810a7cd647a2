// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "console.hpp"
#include "support/program.hpp"

#include <zero/error.hpp>

#include <array>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What ends a run, in words of a program's options and as an exit code.
namespace training {

/// What the library says to a program, as this one says it to a user.
[[nodiscard]] inline std::string in_options(std::string text) {
  constexpr std::array words{std::pair{std::string_view("RunOptions::deadline"), std::string_view("--deadline")},
                             std::pair{std::string_view("MpiConfig::deadline"), std::string_view("--deadline")},
                             std::pair{std::string_view("load parameters only"),
                                       std::string_view("drop the optimizer's states by --new-optimizer")}};
  for (auto const& word : words) {
    if (auto const at = text.find(word.first); at != std::string::npos) {
      text.replace(at, word.first.size(), word.second);
    }
  }
  return text;
}

/// Runs \p f. What ends it is told below the status line, and in words of the program's options; \p out_of_memory says
/// which of them need less.
template <class F>
auto in_words_of_options(char const* out_of_memory, F const& f) {
  try {
    return f();
  } catch (zero::CommunicationError const& error) {
    console().end_status();
    throw zero::CommunicationError(error.kind(), error.where(), in_options(error.what()));
  } catch (zero::CheckpointError const& error) {
    console().end_status();
    throw zero::CheckpointError(error.kind(), in_options(error.what()));
  } catch (std::bad_alloc const&) {
    console().end_status();
    throw std::runtime_error(out_of_memory);
  } catch (...) {
    console().end_status();
    throw;
  }
}

/// Those that a trainer ends with.
[[nodiscard]] inline std::vector<command_line::ExitCode> exit_codes() {
  using command_line::ExitCode;
  return {ExitCode::done, ExitCode::failed,  ExitCode::usage,   ExitCode::stopped,
          ExitCode::data, ExitCode::damaged, ExitCode::diverged};
}

/// The exit code of a trainer that \p error ends.
[[nodiscard]] inline command_line::ExitCode exit_code_of(std::exception const& error) {
  bool const diverged = dynamic_cast<zero::DivergenceError const*>(&error) != nullptr ||
                        dynamic_cast<zero::LossScaleError const*>(&error) != nullptr;
  if (diverged) return command_line::ExitCode::diverged;
  return command_line::exit_code_of(error);
}

}  // namespace training
