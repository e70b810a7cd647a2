// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The operating system's calls, failed and killed from outside by strace: what the file system in memory cannot show is
// whether the one of the machine makes the calls that it is believed to make. A sample of the points, all of them where
// ZERO_TEST_FULL is set.

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"
#include "skip.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/wait.h>

namespace checkpoint_system_call_test {

using checkpoint_test::PlainState;
using checkpoint_test::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

zero::SelfCommunicator self;

int run(std::string const& command) {
  int const status = std::system(("{ " + command + "; } >/dev/null 2>&1").c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

zero::CheckpointFolder folder_of(std::string const& path) { return {zero::posix_file_system(), path}; }

void save(std::string const& path, std::uint64_t seed) {
  PlainState state(self, seed);
  (void)checkpoint_test::save_checkpoint(state, folder_of(path), {.tag = "step-" + std::to_string(seed), .chunk = 128});
}

/// Which state is loaded, by its seed; nothing where it is a mixture.
std::optional<std::uint64_t> loaded(std::string const& path, zero::LoadOptions const& how = {}) {
  PlainState state(self, 0);
  auto const steps = checkpoint_test::load_checkpoint(state, folder_of(path), how).steps;
  if (!state.same(PlainState(self, steps))) return std::nullopt;
  return steps;
}

struct Fault {
  char const* calls;  // as strace names a set of them
  char const* what;   // that strace does to one of them
  bool for_ever;      // and to all after it of the same name
};

std::vector<Fault> faults() {
  std::vector<Fault> faults{{"all", "signal=SIGKILL", false}};
  for (bool const for_ever : {false, true}) {
    for (char const* const error : {"error=ENOSPC", "error=EIO", "error=EINTR", "error=EDQUOT"}) {
      faults.push_back({"%file,%desc", error, for_ever});
    }
  }
  return faults;
}

/// The k-th call of that name by one thread, as strace counts them.
using Call = std::pair<std::string, int>;

/// All calls of a run without a fault, from the first that names the folder on.
std::vector<Call> calls_of(std::string const& command, std::string const& folder, std::string const& log,
                           char const* set) {
  REQUIRE(run("strace -f -qq -s 200 -o '" + log + "' -e trace=" + set + " " + command) == 0);
  std::ifstream lines(log);
  std::map<std::string, int> counts;  // by thread and name
  std::vector<Call> calls;
  bool begun = false;
  for (std::string line; std::getline(lines, line);) {
    auto const at = line.find_first_not_of("0123456789 ");
    auto const end = line.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", std::min(at, line.size()));
    if (end == std::string::npos || line[end] != '(' || end == at) continue;  // how a thread or another line ends
    auto const name = line.substr(at, end - at);
    int const count = ++counts[line.substr(0, end)];
    begun = begun || (name != "execve" && line.find(folder) != std::string::npos);
    Call const call(name, count);
    if (begun && std::find(calls.begin(), calls.end(), call) == calls.end()) calls.push_back(call);
  }
  return calls;
}

/// One point: the newest of two checkpoints is followed or replaced by state 3, and something happens to a call.
class Point {
 public:
  Point(std::string const& prepared, std::string const& scene) : scene_(scene) {
    fs::copy(prepared, path(), fs::copy_options::recursive);
  }
  [[nodiscard]] std::string path() const { return folder_ / "run"; }
  [[nodiscard]] std::string command() const { return "'" SAVE_PROGRAM "' '" + path() + "' 3 " + scene_; }

  /// Whether the save was kept from ending well.
  bool hit(Fault const& fault, Call const& call) {
    int const code =
        run("strace -f -qq -o /dev/null -e trace=" + call.first + " -e inject=" + call.first + ":" + fault.what +
            ":when=" + std::to_string(call.second) + (fault.for_ever ? "+ " : " ") + command());
    auto const seed = loaded(path());
    REQUIRE(seed.has_value());
    REQUIRE((*seed == 2 || *seed == 3));
    if (code == 0) REQUIRE(*seed == 3);
    if (code == 4) REQUIRE(loaded(path(), {.tag = scene_ == "replace" ? "step-2" : "step-3"}) == 3);
    if (code == 3 && !fault.for_ever) REQUIRE(*seed == 2);
    save(path(), 4);  // what was left behind is in nobody's way
    REQUIRE(loaded(path()) == 4);
    return code != 0;
  }

 private:
  TemporaryFolder folder_;
  std::string scene_;
};

}  // namespace

TEST_CASE("system calls: killed at, or refused by, any call of a save, the checkpoint before it or the new one loads" *
          doctest::test_suite("strace")) {
  if (run("strace -f -qq -e trace=none true") != 0) ZERO_SKIP("strace is not installed, or may not trace here");
  bool const full = std::getenv("ZERO_TEST_FULL") != nullptr;
  TemporaryFolder const prepared;
  save(prepared / "run", 1);
  save(prepared / "run", 2);
  std::size_t points = 0, hits = 0;
  for (std::string const scene : {"new", "replace", "prune", "ranks"}) {
    for (auto const& fault : faults()) {
      CAPTURE(scene);
      CAPTURE(fault.calls);
      CAPTURE(fault.what);
      CAPTURE(fault.for_ever);
      Point const whole(prepared / "run", scene);
      auto const calls = calls_of(whole.command(), whole.path(), prepared / "log", fault.calls);
      REQUIRE(calls.size() > 50);
      // The sample begins elsewhere for each fault, so that together they visit most calls.
      for (std::size_t k = full ? 0 : points % 23; k < calls.size(); k += full ? 1 : 23) {
        CAPTURE(calls[k].first);
        CAPTURE(calls[k].second);
        hits += Point(prepared / "run", scene).hit(fault, calls[k]) ? 1 : 0;
        ++points;
      }
    }
  }
  MESSAGE("faults were injected at " << points << " points; " << hits << " of them kept the save from ending well");
  CHECK(points > (full ? 2000U : 60U));
  CHECK(hits > points / 2);
}

TEST_CASE("system calls: a limit on the size of files is an error, not the end, and the checkpoint before it loads") {
  for (int const blocks : {0, 1}) {  // of 512 or 1024 bytes; a manifest is longer
    TemporaryFolder const folder;
    save(folder / "run", 2);
    int const code =
        run("ulimit -f " + std::to_string(blocks) + "; '" SAVE_PROGRAM "' '" + (folder / "run") + "' 3 new");
    CHECK(code == 3);
    CHECK(loaded(folder / "run") == 2);
    save(folder / "run", 4);
    CHECK(loaded(folder / "run") == 4);
  }
}

}  // namespace checkpoint_system_call_test
