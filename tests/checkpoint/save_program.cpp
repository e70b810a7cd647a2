// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// save_program FOLDER SEED: saves checkpoint step-SEED, to be killed on its way. Exit code 0: it is saved; 3: the
// library's error.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"

#include <cstdlib>
#include <string>

int main(int count, char** arguments) {
  if (count != 3) return 2;
  zero::SelfCommunicator self;
  std::string const seed = arguments[2];
  checkpoint_test::PlainState state(self, std::strtoull(seed.c_str(), nullptr, 10));
  try {
    (void)checkpoint_test::save_checkpoint(state, zero::CheckpointFolder(zero::posix_file_system(), arguments[1]),
                                {.tag = "step-" + seed, .keep = 2, .chunk = 128});
    return 0;
  } catch (zero::CheckpointError const&) {
    return 3;
  }
}
