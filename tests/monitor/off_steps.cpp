// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a trainer says of each step, to monitors of which there is none: off_cost.sh counts the instructions.
//
//   off_steps STEPS
#include <zero/monitor/monitors.hpp>

#include <cstdint>
#include <cstdlib>

int main(int count, char** arguments) {
  if (count != 2) return 2;
  zero::monitor::Monitors monitors;
  auto const steps = static_cast<std::uint64_t>(std::atoi(arguments[1]));
  for (std::uint64_t step = 1; step <= steps; ++step) {
    auto const value = static_cast<double>(step);
    for (auto const* tag : {"Train/Samples/lr", "Train/Samples/loss_scale", "Train/Samples/train_loss",
                            "Train/Samples/grad_norm", "Train/Samples/skipped_steps", "Train/Samples/tokens_per_second",
                            "Train/Samples/mfu", "Train/Samples/ms_per_step"}) {
      monitors.scalar(tag, value, step);
    }
  }
  return monitors.enabled() ? 1 : 0;
}
