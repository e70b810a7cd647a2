// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What the curves of one training step cost: the seven values that train_gpt2 has for each, to no monitor, to each of
// the three, and to all. The column CPU is that of all threads of the process, the writing one included; Time is what
// the caller waits. Values are written every 36 steps, which is once a second at nanoGPT's setting.
// Files are made in TMPDIR.
#include <zero/monitor/monitors.hpp>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace {

constexpr std::uint64_t steps_between_writes = 36;
constexpr std::array<char const*, 7> tags{
    "Train/Samples/lr",         "Train/Samples/loss_scale",    "Train/Samples/train_loss",
    "Train/Samples/grad_norm",  "Train/Samples/skipped_steps", "Train/Samples/tokens_per_second",
    "Train/Samples/ms_per_step"};

enum Which : int { none = 0, tensorboard = 1, csv = 2, json_lines = 4, all = 7 };

zero::monitor::Monitors::Config config_of(int which, std::string const& folder) {
  zero::monitor::Monitors::Config config{.interval = std::chrono::hours(1)};
  if ((which & tensorboard) != 0) config.tensorboard = {.output_path = folder, .job_name = "job"};
  if ((which & csv) != 0) config.csv = {.output_path = folder, .job_name = "job"};
  if ((which & json_lines) != 0) config.json_lines = {.output_path = folder, .job_name = "job"};
  return config;
}

void step(benchmark::State& state) {
  std::string folder = std::filesystem::temp_directory_path() / "zero-monitors-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) std::abort();
  {
    zero::monitor::Monitors monitors(config_of(static_cast<int>(state.range(0)), folder));
    std::uint64_t samples = 0;
    for (auto _ : state) {
      samples += 12;
      for (auto const* const tag : tags) monitors.scalar(tag, 1.0 / static_cast<double>(samples), samples);
      if (samples / 12 % steps_between_writes == 0) (void)monitors.flush();
    }
    if (monitors.dropped() > 0) state.SkipWithError("values were dropped");
  }
  std::error_code error;
  std::filesystem::remove_all(folder, error);
}

BENCHMARK(step)
    ->ArgName("monitors")
    ->Arg(none)
    ->Arg(tensorboard)
    ->Arg(csv)
    ->Arg(json_lines)
    ->Arg(all)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
