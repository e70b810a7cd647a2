// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The operating system's calls, failed and killed from outside by strace: what the file system in memory cannot show is
// whether the one of the machine makes the calls that it is believed to make.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <sys/wait.h>

using checkpoint_test::PlainState;
using checkpoint_test::TemporaryFolder;

namespace {

zero::SelfCommunicator self;

int run(std::string const& command) {
  int const status = std::system(("{ " + command + "; } >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::string save(TemporaryFolder const& folder, int seed) {
  return "'" SAVE_PROGRAM "' '" + folder.path() + "' " + std::to_string(seed);
}

std::uint64_t loaded(TemporaryFolder const& folder) {
  PlainState state(self, 0);
  auto const report = checkpoint_test::load_checkpoint(state, zero::CheckpointFolder(zero::posix_file_system(), folder.path()));
  CHECK(state.same(PlainState(self, report.steps)));
  return report.steps;
}

}  // namespace

TEST_CASE("system calls: killed at, or refused by, any call of a save, the checkpoint before it or the new one loads") {
  if (run("strace -f -qq -e trace=none true") != 0) {
    MESSAGE("nothing was injected: strace is not installed, or may not trace here");
    return;
  }
  int killed = 0, failed = 0;
  for (std::string const call : {"openat", "write", "fsync", "close", "mkdir", "rename", "renameat2", "unlink"}) {
    for (std::string const fault : {"signal=SIGKILL", "error=ENOSPC", "error=EIO"}) {
      // The loader's own calls come first, and are hit too; a sample of the rest.
      for (int k = 1, code = 1; code != 0 && k < 64; k += k < 12 ? 1 : 5) {
        CAPTURE(call);
        CAPTURE(fault);
        CAPTURE(k);
        TemporaryFolder const folder;
        REQUIRE(run(save(folder, 1)) == 0);
        // The leak checker cannot work while somebody else traces.
        code = run("ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=" + call + " -e inject=" + call +
                   ":" + fault + ":when=" + std::to_string(k) + " " + save(folder, 2));
        (fault.starts_with("signal") ? killed : failed) += code != 0 ? 1 : 0;
        auto const steps = loaded(folder);
        REQUIRE((steps == 1 || steps == 2));
        REQUIRE(run(save(folder, 3)) == 0);
        REQUIRE(loaded(folder) == 3);
      }
    }
  }
  // Calls of a sanitizer are counted among those of the program: fewer of its own are hit then.
  CHECK(killed >= 10);
  CHECK(failed >= 10);
}
