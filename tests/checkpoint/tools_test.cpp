// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"
#include "run_command.hpp"
#include "skip.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace checkpoint_tools_test {

using checkpoint_test::PlainState;
using checkpoint_test::TemporaryFolder;
using zero_test::Outcome;

namespace {

Outcome run(std::string const& command) { return zero_test::run_command(command + " 2>&1"); }

std::string quote(std::string const& text) { return "'" + text + "'"; }

void save(TemporaryFolder const& folder, std::uint64_t seed) {
  zero::SelfCommunicator self;
  PlainState state(self, seed);
  (void)checkpoint_test::save_checkpoint(state, zero::CheckpointFolder(zero::posix_file_system(), folder.path()),
                                         {.tag = "step-" + std::to_string(seed), .user_state = {{"note", "x"}}});
}

bool is_one_line(std::string const& text) { return !text.empty() && text.find('\n') == text.size() - 1; }

}  // namespace

TEST_CASE("tools: a checkpoint is shown and verified, and one that is damaged is named, with an exit code of its own") {
  TemporaryFolder const folder;
  save(folder, 1);
  save(folder, 2);
  auto const whole = run(ZERO_INSPECT " " + quote(folder.path()));
  CHECK(whole.code == 0);
  for (auto const* part : {"step-2: 2 steps, 1 skipped", "saved by 1 rank at stage 0",
                           "with the states of AdamW and DynamicScale", "3 parameters, 27 elements", "5 x 3", "scalar",
                           "bf16, frozen", "caller: note = x", "every byte is as it was written"}) {
    CAPTURE(part);
    CHECK(whole.output.find(part) != std::string::npos);
  }
  CHECK(run(ZERO_INSPECT " " + quote(folder / "step-1")).output.find("step-1: 1 step,") != std::string::npos);
  CHECK(run(ZERO_INSPECT " " + quote(folder / "latest")).output.find("step-2: 2 steps") != std::string::npos);
  CHECK(run("cd " + quote(folder.path()) + " && " ZERO_INSPECT " latest").output.find("step-2") != std::string::npos);
  std::filesystem::resize_file(folder / "step-2/exp_avg-00000-of-00001.safetensors", 100);
  auto const damaged = run(ZERO_INSPECT " " + quote(folder / "step-2"));
  CHECK(damaged.code == 5);
  CHECK(damaged.output.find("has 100 bytes instead of") != std::string::npos);
  CHECK(run(ZERO_INSPECT " --no-verify " + quote(folder / "step-2")).code == 0);
  auto const value = run(ZERO_INSPECT " --value note " + quote(folder / "step-2"));
  CHECK(value.code == 0);
  CHECK(value.output == "x");
  auto const none = run(ZERO_INSPECT " --value nothing " + quote(folder / "step-2"));
  CHECK(none.code == 2);
  CHECK(none.output.find("--value nothing: the checkpoint has no such value, but note") != std::string::npos);
}

TEST_CASE("tools: a parameter that another rule has trained is shown with it") {
  TemporaryFolder const folder;
  save(folder, 1);
  auto manifest = zero::CheckpointFolder(zero::posix_file_system(), folder.path()).manifest("step-1");
  manifest.parameters[0].rule = "SGD";
  std::ofstream(folder / "step-1/manifest.json") << zero::to_text(manifest);
  auto const shown = run(ZERO_INSPECT " " + quote(folder.path()));
  CHECK(shown.code == 0);
  CHECK(shown.output.find("fp32, trained with SGD") != std::string::npos);
}

TEST_CASE("tools: bad input is one line and the exit code of its kind, and leaves no file") {
  TemporaryFolder const folder;
  save(folder, 1);
  auto const checkpoint = quote(folder / "step-1"), out = quote(folder / "out.safetensors");
  std::vector<std::string> const wrong{
      std::string(ZERO_INSPECT),
      ZERO_INSPECT " --what " + checkpoint,
      ZERO_INSPECT " " + checkpoint + " " + checkpoint,
      ZERO_INSPECT " " + quote(folder / "nothing"),
      std::string(ZERO_CONSOLIDATE),
      ZERO_CONSOLIDATE " " + checkpoint,
      ZERO_CONSOLIDATE " " + quote(folder / "nothing") + " " + out,
      ZERO_CONSOLIDATE " " + checkpoint + " " + out + " --dtype fp64",
      ZERO_CONSOLIDATE " " + checkpoint + " " + out + " --dtype",
      ZERO_CONSOLIDATE " " + checkpoint + " " + out + " --max-shard-size 0",
      ZERO_CONSOLIDATE " " + checkpoint + " " + out + " --max-shard-size 1X",
      ZERO_CONSOLIDATE " " + checkpoint + " " + out + " --max-shard-size 99999999999999G",
      ZERO_CONSOLIDATE " " + checkpoint + " " + quote(folder / "no/such/folder/out"),
      ZERO_CONSOLIDATE " " + checkpoint + " " + quote(folder / "latest")};
  for (auto const& command : wrong) {
    CAPTURE(command);
    auto const outcome = run(command);
    auto const has = [&](char const* part) { return command.find(part) != std::string::npos; };
    bool const missing = has("/nothing") || has("/no/such");
    CHECK(outcome.code == (missing ? 4 : 2));
    CHECK(is_one_line(outcome.output));
    CHECK_FALSE(std::filesystem::exists(folder / "out.safetensors"));
  }
  CHECK(run(ZERO_CONSOLIDATE " " + checkpoint + " " + out).code == 0);
  auto const again = run(ZERO_CONSOLIDATE " " + checkpoint + " " + out);
  CHECK(again.code == 2);
  CHECK(again.output.find("is there already: give another name, or --overwrite") != std::string::npos);
  auto const files = [&] { return std::distance(std::filesystem::directory_iterator(folder.path()), {}); };
  auto const before = files();
  CHECK(run(ZERO_CONSOLIDATE " --overwrite --max-shard-size=1G " + checkpoint + " " + out).code == 0);
  CHECK(files() == before);  // and no folder beside it
  // In several files and back: what is left of either would pass for the model.
  auto const several = ZERO_CONSOLIDATE " --max-shard-size=1 " + checkpoint + " " + out;
  CHECK(run(several + " --overwrite").code == 0);
  CHECK_FALSE(std::filesystem::exists(folder / "out.safetensors"));
  CHECK(std::filesystem::exists(folder / "out.safetensors.index.json"));
  CHECK(std::filesystem::exists(folder / "out-00003-of-00003.safetensors"));
  CHECK(run(ZERO_CONSOLIDATE " " + checkpoint + " " + out).output.find("is there already") != std::string::npos);
  CHECK(run(ZERO_CONSOLIDATE " --overwrite --max-shard-size=64 " + checkpoint + " " + out).code == 0);
  CHECK_FALSE(std::filesystem::exists(folder / "out-00003-of-00003.safetensors"));
  CHECK(run(ZERO_CONSOLIDATE " --overwrite " + checkpoint + " " + out).code == 0);
  CHECK(files() == before);
  CHECK(run(ZERO_INSPECT " --help").code == 0);
  CHECK(run(ZERO_CONSOLIDATE " --help").code == 0);
}

TEST_CASE("tools: what is consolidated is read by Python's safetensors, as are the files of every rank" *
          doctest::test_suite("safetensors")) {
  TemporaryFolder const folder;
  save(folder, 3);
  REQUIRE(run(ZERO_CONSOLIDATE " " + quote(folder.path()) + " " + quote(folder / "out.safetensors") + " --dtype fp32")
              .code == 0);
  auto const python = zero_test::python();
  if (run(python + " -c 'import numpy, safetensors'").code != 0) {
    ZERO_SKIP(python << " has no numpy or no safetensors");
  }
  auto const outcome = run(python + R"( -c "
import glob, sys
from safetensors import safe_open
from safetensors.numpy import load_file
whole = load_file(sys.argv[1] + '/out.safetensors')
part = load_file(sys.argv[1] + '/step-3/exp_avg-00000-of-00001.safetensors')
print(sorted((k, list(v.shape), str(v.dtype)) for k, v in whole.items()), sorted(part))
files = sorted(glob.glob(sys.argv[1] + '/step-3/*.safetensors'))
for name in files:
    with safe_open(name, 'np') as file:
        print(len(files), [(k, file.get_slice(k).get_dtype(), file.get_slice(k).get_shape()) for k in sorted(file.keys())])
" )" + quote(folder.path()));
  CHECK(outcome.code == 0);
  CHECK(outcome.output ==
        "[('a', [5, 3], 'float32'), ('b', [], 'float32'), ('c', [11], 'float32')] ['a[0:15]', 'b[0:1]']\n"
        "3 [('a[0:15]', 'F32', [5, 3]), ('b[0:1]', 'F32', [])]\n"
        "3 [('a[0:15]', 'F32', [5, 3]), ('b[0:1]', 'F32', [])]\n"
        "3 [('a[0:15]', 'F32', [5, 3]), ('b[0:1]', 'F32', []), ('c[0:11]', 'BF16', [11])]\n");
}

}  // namespace checkpoint_tools_test
