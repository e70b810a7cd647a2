// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine.hpp>
#include <zero/profile/memory.hpp>
#include <zero/profile/profiler.hpp>
#include <zero/profile/trace.hpp>

#include <cstddef>
#include <fstream>
#include <string>

int main() {
  zero::profile::Profiler<zero::HostBackend> profiler;
  zero::SelfCommunicator alone;
  zero::ParameterList parameters;
  (void)parameters.add({.name = "w", .shape = {1024}});
  zero::Engine<zero::Partitioner<zero::Stage::none>, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>> engine(
      alone, parameters, {.profiler = &profiler});
  zero::HostStream stream;
  std::size_t const bytes_of_all_ranks = 1024;
  // block
}
