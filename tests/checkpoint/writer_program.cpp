// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// writer_program FOLDER STALE_MS MODE: a run that holds the folder's lock and saves. Says "locked" once it has it. MODE
// `steps` saves once for each line that comes in, and says "saved"; `on` saves until it cannot. Exit code 0: no more
// lines came; 5: the folder is somebody else's; 3: another error of the library.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"

#include <zero/checkpoint/lock.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

void say(char const* word) {
  std::puts(word);
  std::fflush(stdout);
}

int write(std::string const& folder, std::chrono::milliseconds stale_after, bool in_steps) {
  zero::SelfCommunicator self;
  zero::CheckpointLock const lock(self, folder, {.stale_after = stale_after});
  say("locked");
  std::string line;
  for (std::uint64_t seed = 1; !in_steps || std::getline(std::cin, line); ++seed) {
    checkpoint_test::PlainState state(self, seed);
    (void)checkpoint_test::save_checkpoint(state, lock.folder(),
                                           {.tag = "step-" + std::to_string(seed), .keep = 3, .chunk = 128});
    if (in_steps) say("saved");
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  try {
    return write(arguments[1], std::chrono::milliseconds(std::strtoull(arguments[2], nullptr, 10)),
                 std::string(arguments[3]) == "steps");
  } catch (zero::CheckpointError const& error) {
    return error.kind() == zero::CheckpointFailure::locked ? 5 : 3;
  }
}
