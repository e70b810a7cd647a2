// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "said_once.hpp"

#include "support/exit_code.hpp"

#include <zero/bootstrap/launch_environment.hpp>
#include <zero/error.hpp>

#include <chrono>
#include <cstdlib>
#include <optional>
#include <string>
#include <thread>

namespace training {
namespace {

/// The launcher that has started this process as another rank than 0.
std::optional<std::string> launcher_of_another_rank() {
  try {
    auto const launch = zero::LaunchEnvironment::read();
    return launch.rank > 0 ? std::optional(launch.source) : std::nullopt;
  } catch (zero::Error const&) {  // variables that contradict each other
    return std::nullopt;
  }
}

/// Whether the others live on when one rank has ended: those of srun do, and torchrun may look after half a minute
/// only. Variables as torchrun's, but without a run's id, were set by hand, for a command line that was typed by
/// itself.
bool leaves_others_alive(std::string const& launcher) {
  bool const has_id = std::getenv("TORCHELASTIC_RUN_ID") != nullptr;  // NOLINT(concurrency-mt-unsafe): nobody sets one
  return launcher == "Slurm" || (launcher == "torchrun" && has_id);
}

}  // namespace

void let_rank_0_say_it() {
  auto const launcher = launcher_of_another_rank();
  if (!launcher) return;
  // Not at once: a launcher that ends all ranks when one has ended would end rank 0 before it has spoken.
  std::this_thread::sleep_for(std::chrono::seconds(2));
  if (leaves_others_alive(*launcher)) std::exit(static_cast<int>(command_line::ExitCode::usage));
}

}  // namespace training
