// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "profile/training.hpp"

#include <zero/profile/memory.hpp>

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

namespace profile_memory_test {

using zero::MemoryKind;
using zero::profile::MemoryUse;

TEST_CASE("memory line: it says what the engine, the process and the device hold, where they hold something") {
  MemoryUse use;
  CHECK(to_line("at first", use) == "memory at first: engine");
  use.engine = {3 << 20, 0, 1 << 19};
  CHECK(to_line("before step 1", use) == "memory before step 1: engine device 3.0 MiB, pageable 0.5 MiB");
  use.process = {10 << 20, 12 << 20};
  use.device = zero::profile::DeviceMemory{1 << 20, 5 << 20};
  CHECK(to_line("x", use) ==
        "memory x: engine device 3.0 MiB, pageable 0.5 MiB; process 10.0 MiB, at most 12.0 MiB; device 4.0 MiB of 5.0 "
        "MiB");
}

TEST_CASE("memory line: its numbers are those of the engine's report") {
  zero::SelfCommunicator alone;
  zero::ParameterList parameters;
  (void)parameters.add({.name = "w", .shape = {5000}});
  zero::Engine<zero::Partitioner<zero::Stage::none>, zero::Optimizer<zero::AdamW, zero::CpuOffload>,
               zero::Precision<zero::BF16>> const engine(alone, parameters);
  auto const use = zero::profile::memory_use(engine.memory());
  std::size_t sum = 0;
  for (auto kind : {MemoryKind::device, MemoryKind::pinned, MemoryKind::pageable}) {
    CHECK(use.of_engine(kind) == engine.memory().bytes(kind));
    sum += use.of_engine(kind);
  }
  CHECK(sum == engine.memory().total());
  CHECK(use.process.resident > 0);
  CHECK(use.process.peak_resident >= use.process.resident);
  CHECK(!use.device);
}

TEST_CASE("memory line: a system that says nothing of the process is no error") {
  CHECK(zero::profile::process_memory("/nowhere/status").resident == 0);
  auto const path = std::filesystem::temp_directory_path() / ("zero_status_" + std::to_string(::getpid()));
  std::ofstream(path) << "Name:\tx\nVmHWM:\t    7 kB\nVmRSS:\tnone\nNoColon\n";
  auto const found = zero::profile::process_memory(path.string());
  std::filesystem::remove(path);
  CHECK(found.resident == 0);
  CHECK(found.peak_resident == 7 * 1024);
}

}  // namespace profile_memory_test
