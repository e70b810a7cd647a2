// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// How a run watches itself and ends.
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace trainer_ending_test {

using namespace trainer_test;

namespace {

bool says(Outcome const& outcome, std::string const& part) { return outcome.output.find(part) != std::string::npos; }

std::string text_of(fs::path const& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string hash_in(Outcome const& outcome) {
  auto const at = outcome.output.find("parameter hash: ");
  REQUIRE(at != std::string::npos);
  return outcome.output.substr(at, 32);
}

/// The learning rates of a log, by step from 1.
std::vector<std::string> rates(fs::path const& log) {
  std::vector<std::string> all;
  for (auto const& line : log_of(log)) all.push_back(field(line, "lr"));
  return all;
}

/// Makes every later step's loss larger than the first ones'.
std::string const exploding = "--iterations 8 --eval-interval 1 --lr 1 --min-lr 1 --warmup 4 --weight-decay 0 ";

}  // namespace

TEST_CASE("train_gpt2: a run stops after --patience validations in vain, whether it was resumed in between or not") {
  Folder const folder;
  // Nothing that is trained improves a validation by 10, so that the first one stays the only improvement.
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--micro-batches 6 --lr 1e-2 " +
                             "--iterations 40 --eval-interval 2 --patience 3 --min-delta 10 ";
  auto const whole = run(run_of + "--save-interval 3 --checkpoint-dir " + folder.quote("run"));
  CAPTURE(whole.output);
  CHECK(whole.code == 0);
  CHECK(says(whole, "run: stops early after step 8: no improvement in 3 validations since the one of "));
  CHECK_FALSE(says(whole, "step 9/40"));
  CHECK(text_of(folder / "run" / "final") == "step-8");
  CHECK(text_of(folder / "run" / "best") == "step-8");  // each was a little better
  for (char const* const step : {"step-3", "step-6"}) {
    auto const rest = run(run_of + "--ranks 3 --stage 3 --resume " + folder.quote("run/") + step);
    CAPTURE(rest.output);
    CHECK(rest.code == 0);
    CHECK(says(rest, "run: stops early after step 8: "));
    CHECK(hash_in(rest) == hash_in(whole));
  }
  // A job that is queued again has nothing to do, and ends well.
  std::string const again = run_of + "--resume auto --checkpoint-dir " + folder.quote("run");
  auto const over = run(again);
  CAPTURE(over.output);
  CHECK(over.code == 0);
  CHECK(says(over, "run: nothing to train: it was stopped early, after 8 steps; a larger --patience goes on"));
  CHECK(hash_in(over) == hash_in(whole));
  CHECK(says(run(again + " --patience 5"), "run: stops early after step 12: "));
  check_rejected("--min-delta 1", "--min-delta: needs --patience");
  check_rejected("--patience x", "--patience x: expected a whole number");
}

TEST_CASE("train_gpt2: a validation that is an improvement gives patience anew, and one that is not finite is none") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--iterations 12 --eval-interval 1 ";
  auto const better = run(run_of + "--lr 1e-3 --batch 16 --patience 1");
  CAPTURE(better.output);
  CHECK(says(better, "step 12/12"));
  CHECK_FALSE(says(better, "stops early"));
  auto const nan = run(run_of + "--lr 1e30 --patience 2 --max-skips 0");
  CAPTURE(nan.output);
  CHECK(nan.code == 0);
  CHECK(says(nan, "run: stops early after step 2: none of 2 validations is finite"));
}

TEST_CASE("train_gpt2: --new-schedule keeps the moments and begins the learning rate's schedule anew") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--lr 1e-2 --warmup 2 ";
  auto const plain =
      run(run_of + "--iterations 8 --log " + folder.quote("log") + " --checkpoint-dir " + folder.quote("run"));
  REQUIRE(plain.code == 0);
  REQUIRE(run(run_of + "--iterations 4 --log " + folder.quote("short")).code == 0);
  auto const from = run_of + "--iterations 8 --resume " + folder.quote("run/step-4");
  auto const fresh = run(from + " --new-schedule --log " + folder.quote("new") +
                         " --save-interval 1 --checkpoint-dir " + folder.quote("other"));
  CAPTURE(fresh.output);
  REQUIRE(fresh.code == 0);
  CHECK(says(fresh, "step-4, 4 updates done, with a new schedule"));
  CHECK(rates(folder / "new") == rates(folder / "short"));
  auto const old = rates(folder / "log");
  CHECK(rates(folder / "new") != std::vector(old.begin() + 4, old.end()));
  auto const dropped = run(from + " --new-schedule --new-optimizer");
  CHECK(says(dropped, "with a new optimizer, with a new schedule"));
  CHECK(hash_in(fresh) != hash_in(plain));
  CHECK(hash_in(fresh) != hash_in(dropped));
  // From its middle it goes on with the schedule that it had, without being told again.
  auto const rest = run(run_of + "--iterations 8 --resume " + folder.quote("other/step-6"));
  CAPTURE(rest.output);
  CHECK(hash_in(rest) == hash_in(fresh));
  check_rejected("--new-schedule", "--new-schedule: needs --resume");
  check_rejected("--new-schedule --parameters-only --resume x", "leave one out");
  auto const late = run(from + " --new-schedule --warmup 5");
  CHECK(late.code == 2);
  CHECK(says(late, "--warmup 5: the schedule that begins at step 4 has 4 steps: give no more"));
}

TEST_CASE("train_gpt2: --save-hf-best holds the model of the best validation, --save-hf that of the end") {
  Folder const folder;
  auto const outcome =
      run("--data " + folder.quote("text.txt") + tiny + exploding + "--ranks 2 --save-hf " + folder.quote("last") +
          " --save-hf-best " + folder.quote("good") + " --checkpoint-dir " + folder.quote("run"));
  CAPTURE(outcome.output);
  REQUIRE(outcome.code == 0);
  CHECK(text_of(folder / "run" / "best") != text_of(folder / "run" / "final"));
  std::string const still = "--lr 0 --iterations 1 ";
  auto const parameters = [&](std::string const& from) { return hash_of(folder, still + from); };
  auto const best = parameters("--parameters-only --resume " + folder.quote("run/best"));
  auto const last = parameters("--parameters-only --resume " + folder.quote("run/final"));
  CHECK(best != last);
  CHECK(parameters("--init-from " + folder.quote("good")) == best);
  CHECK(parameters("--init-from " + folder.quote("last")) == last);
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny;
  auto const refused = run(run_of + "--save-hf-best " + folder.quote("good"));
  CHECK(refused.code == 2);
  CHECK(says(refused, "good: holds a model.safetensors already: use --overwrite"));
  CHECK(run(run_of + "--overwrite --save-hf-best " + folder.quote("good")).code == 0);
  check_rejected("--save-hf x --save-hf-best x", "--save-hf-best x: the folder of --save-hf");
  // One that cannot be written costs an exit code, and nothing else.
  auto const failed = run_in("ulimit -f 8;", last_of_each(run_of + "--ranks 2 --save-hf-best " + folder.quote("new")));
  CAPTURE(failed.output);
  CHECK(failed.code == 1);
  for (auto const* const part : {"model: NOT SAVED", "step 4/4", "parameter hash: "}) CHECK(says(failed, part));
}

TEST_CASE("train_gpt2: a loss that explodes and a validation that is not finite are told once") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny;
  auto const count = [](Outcome const& outcome, std::string const& part) {
    std::size_t n = 0;
    for (auto at = outcome.output.find(part); at != std::string::npos; at = outcome.output.find(part, at + 1)) ++n;
    return n;
  };
  auto const worse = run(run_of + exploding);
  CAPTURE(worse.output);
  CHECK(worse.code == 0);
  CHECK(count(worse, "training: the loss explodes: it is ") == 1);
  CHECK(says(worse, ", and guessing has 3.6"));
  auto const nan = run(run_of + "--lr 1e30 --eval-interval 1 --max-skips 0");
  CAPTURE(nan.output);
  CHECK(count(nan, "training: the validation loss is not finite, though the gradient was") == 1);
  auto const good = run(run_of);
  CHECK(count(good, "training: ") == 0);
}

TEST_CASE("train_gpt2: a static loss scale under which every gradient overflows is a divergence") {
  Folder const folder;
  auto const failed = run("--data " + folder.quote("text.txt") + tiny +
                          "--precision fp16 --loss-scale 1e30 --checkpoint-dir " + folder.quote("run"));
  CAPTURE(failed.output);
  CHECK(failed.code == 6);
  CHECK(says(failed, "first: lower --loss-scale, lower --lr"));
  CHECK(says(failed, "skipped: the gradient is not finite"));
  CHECK_FALSE(fs::exists(folder / "run/best"));
}

}  // namespace trainer_ending_test
