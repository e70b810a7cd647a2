// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// save_program FOLDER SEED SCENE: saves a state, to be killed on its way. SCENE: `new` is checkpoint step-SEED,
// `replace` takes the place of step-2, `prune` is step-SEED, the best one, and removes old ones, `ranks` is step-SEED
// by two ranks. Exit code 0: it is saved; 3: the library's error; 4: it is saved with warnings.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"

#include <cstdlib>
#include <string>

namespace {

bool warns = false;

void save(zero::EngineState& state, char const* folder, zero::SaveOptions const& options) {
  zero::CheckpointFolder const checkpoints(zero::posix_file_system(), folder);
  auto const report = checkpoint_test::save_checkpoint(state, checkpoints, options);
  if (state.rank() == 0) warns = !report.warnings.empty();
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  std::string const scene = arguments[3];
  auto const seed = std::strtoull(arguments[2], nullptr, 10);
  zero::SaveOptions options{.tag = "step-" + std::string(arguments[2]), .chunk = 128};
  if (scene == "replace") options.tag = "step-2", options.replace = true;
  if (scene == "prune") options.keep = 2, options.aliases = {"best"};
  try {
    if (scene == "ranks") {
      zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
        checkpoint_test::PlainState state(ranks, seed);
        save(state, arguments[1], options);
      });
    } else {
      zero::SelfCommunicator self;
      checkpoint_test::PlainState state(self, seed);
      save(state, arguments[1], options);
    }
    return warns ? 4 : 0;
  } catch (zero::CheckpointError const&) {
    return 3;
  }
}
