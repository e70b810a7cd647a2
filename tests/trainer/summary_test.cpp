// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a run says of itself as a whole: its summary, its use of the hardware, and a user's own words in checkpoints.
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace trainer_summary_test {

using namespace trainer_test;

namespace {

bool says(Outcome const& outcome, std::string const& part) { return outcome.output.find(part) != std::string::npos; }

/// The number behind \p what in the summary.
double number_behind(std::string const& output, std::string const& what) {
  auto const summary = output.find("\nsummary\n");
  REQUIRE(summary != std::string::npos);
  auto const at = output.find(what, summary);
  REQUIRE(at != std::string::npos);
  return std::strtod(output.c_str() + at + what.size(), nullptr);
}

std::string manifest_of(fs::path const& checkpoint) {
  std::ifstream file(checkpoint / "manifest.json");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("train_gpt2: a summary at the end says how far a run came, where its time went and where its files are") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--ranks 2 --lr 1e-2 --checkpoint-dir " +
                             folder.quote("run") + " --log " + folder.quote("log") + " ";
  auto const whole = run(run_of + "--save-hf " + folder.quote("model") + " --csv " + folder.quote("curves") +
                         " --job-name first --profile 2:3 --profile-file " + folder.quote("trace.json"));
  CAPTURE(whole.output);
  REQUIRE(whole.code == 0);
  CHECK(says(whole, "  steps            4 of 4, 0.01 epochs: all are done\n"));
  CHECK(says(whole, "  best validation  " + field(log_of(folder / "log")[3], "val_loss") + " after step 4\n"));
  CHECK(says(whole, "run, latest is step-4, best is step-4, final is step-4\n"));
  CHECK(says(whole, "  curves           " + (folder / "curves/first").string() + "\n"));
  CHECK(says(whole, "  profile          " + (folder / "trace.json").string() + "\n"));
  for (char const* const name : {"model", "log"}) CHECK(says(whole, (folder / name).string() + "\n"));
  CHECK(whole.output.rfind("\nsummary\n") > whole.output.find("where memory went"));
  CHECK(number_behind(whole.output, "  memory           ") > 0.0);
  CHECK(number_behind(whole.output, "process has had ") > 1.0);
  CHECK_FALSE(says(whole, "MFU"));

  auto const rest = run(run_of + "--resume auto --iterations 60 --patience 2 --min-delta 10");
  CAPTURE(rest.output);
  CHECK(says(rest, "  steps            8 of 60, "));
  CHECK(says(rest, "epochs: stopped early: no improvement in 2 validations"));
  auto const over = run(run_of + "--resume auto --iterations 8");
  CHECK(says(over, "  steps            8 of 8, "));
  CHECK_FALSE(says(over, "  speed "));
  auto const diverged = run("--data " + folder.quote("text.txt") + tiny + "--lr 1e30");
  CHECK(diverged.code == 6);
  CHECK(says(diverged, "  steps            4 of 4, 0.00 epochs: the training has diverged\n"));
  // Two signals, as `timeout` sends them to a process and to its group.
  auto const stopped = run(
      run_of + "--resume auto --iterations 1000000 --save-interval 1000000 & pid=$!; while [ $(wc -l < " +
      folder.quote("log") + ") -lt 12 ]; do sleep 0.05; done; kill -TERM $pid; sleep 0.01; kill -TERM $pid; wait $pid");
  CAPTURE(stopped.output);
  CHECK(says(stopped, "epochs: stopped by a signal\n"));
}

TEST_CASE("train_gpt2: the kinds of time in a summary are all of it, none of them twice") {
  Folder const folder;
  auto const outcome = run("--data " + folder.quote("text.txt") + tiny +
                           "--layers 4 --width 128 --batch 16 --context 32 --iterations 60 --eval-interval 20 " +
                           "--save-interval 5 --checkpoint-dir " + folder.quote("run"));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  double sum = 0.0;
  for (char const* const kind : {"training ", "data ", "evaluation ", "saving "}) {
    CHECK(number_behind(outcome.output, kind) >= 0.0);
    sum += number_behind(outcome.output, kind);
  }
  double const rounding = 0.005 * 6;  // six numbers of two decimals
  double const total = number_behind(outcome.output, "  time             ");
  CHECK(std::abs(sum + number_behind(outcome.output, "other ") - total) <= rounding);
}

TEST_CASE("train_gpt2: MFU is said where the peak is known: operations of the model, divided by what ranks could do") {
  Folder const folder;
  auto const outcome =
      run("--data " + folder.quote("text.txt") + tiny + "--ranks 2 --peak-flops 2e10 --log " + folder.quote("log"));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  // 38 characters; 7,328 parameters, of which 8 x 16 are those of positions.
  double const per_token = 6.0 * (7328 - 8 * 16) + 12.0 * 2 * 16 * 8;
  CHECK(says(outcome, "flops: 4.627e+04 per token, and each rank has at most 2e+10 per second\n"));
  auto const line = log_of(folder / "log")[2];
  auto const expected = per_token * std::stod(field(line, "tokens_per_second")) / (2 * 2e10);
  CHECK(std::stod(field(line, "mfu")) == doctest::Approx(expected).epsilon(1e-9));
  CHECK(outcome.output.find("  MFU ") < outcome.output.find("step 4/4"));
  CHECK(number_behind(outcome.output, "in steps, MFU ") > 0.0);
  (void)hash_of(folder, "");
  CHECK(log_of(folder / "log")[2].find("mfu") == std::string::npos);
  check_rejected("--peak-flops 0", "--peak-flops 0: expected a number from 1 to 1e30");
}

TEST_CASE(
    "train_gpt2: checkpoints hold a user's own JSON, which a run that is resumed keeps, and how far the run was") {
  Folder const folder;
  std::ofstream(folder / "mine.json") << "{\n  \"team\" : \"a \\\" b\",\r\n\t\"rates\": [1e-5, 2.50]\n}\n";
  std::string const run_of =
      "--data " + folder.quote("text.txt") + tiny + "--checkpoint-dir " + folder.quote("run") + " ";
  auto const first = run(run_of + "--ranks 2 --client-state " + folder.quote("mine.json"));
  CAPTURE(first.output);
  REQUIRE(first.code == 0);
  std::string const kept = R"("client":"{\"team\":\"a \\\" b\",\"rates\":[1e-5,2.50]}")";
  auto const manifest = manifest_of(folder / "run" / "step-4");
  CAPTURE(manifest);
  CHECK(manifest.find(kept) != std::string::npos);
  for (char const* const key :
       {"\"epoch\":\"0.0", "\"tokens\":\"128\"", "\"best step\":\"", "\"best validation\":\""}) {
    CHECK(manifest.find(key) != std::string::npos);
  }
  fs::remove(folder / "mine.json");
  REQUIRE(run(run_of + "--resume auto --iterations 6").code == 0);
  CHECK(manifest_of(folder / "run" / "step-6").find(kept) != std::string::npos);
  std::ofstream(folder / "other.json") << "7";
  REQUIRE(run(run_of + "--resume auto --iterations 8 --client-state " + folder.quote("other.json")).code == 0);
  CHECK(manifest_of(folder / "run" / "step-8").find("\"client\":\"7\"") != std::string::npos);

  auto const refused = [&](std::string const& json, std::string const& why) {
    std::ofstream(folder / "bad.json") << json;
    check_rejected(run_of + "--resume auto --client-state " + folder.quote("bad.json"), "bad.json: " + why, 4);
  };
  refused("{\"a\": 1,}", "is no JSON: ");
  refused("", "is no JSON: ");
  refused("\"" + std::string(100'000, 'a') + "\"", "is longer than 100,000 bytes");
  check_rejected(run_of + "--resume auto --client-state " + folder.quote("gone.json"), "gone.json: cannot be read", 4);
  check_rejected(run_of + "--resume auto --client-state " + folder.quote("."), "cannot be read", 4);
  check_rejected("--client-state x", "--client-state: needs --checkpoint-dir");
}

}  // namespace trainer_summary_test
