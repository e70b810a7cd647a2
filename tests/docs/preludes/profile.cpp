// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/engine.hpp>
#include <zero/profile/profiler.hpp>
#include <zero/profile/trace.hpp>

#include <cstddef>
#include <fstream>
#include <string>

int main() {
  zero::profile::Profiler<zero::HostBackend> profiler;
  zero::HostStream stream;
  std::size_t const bytes_of_all_ranks = 1024;
  // block
}
