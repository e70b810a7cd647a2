// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "processes.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

namespace gpt2 {

// Processes that do not know of each other would all train the same model, and write to the same files.
Processes launched_processes() {
  for (char const* const name : {"WORLD_SIZE", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    char const* const value = std::getenv(name);
    if (value == nullptr || std::string_view(value) == "1") continue;
    throw UsageError(
        std::string("--device cuda: ") + name + " is " + value +
        ", but this program was built without NCCL: build it with NCCL, or start one process with --ranks");
  }
  return {};
}

bool run_over_nccl(Options const&, Corpus const&, RunLog&) { return false; }

}  // namespace gpt2
