// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What a run says of itself before, between and instead of its steps.
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace trainer_evaluation_test {

using namespace trainer_test;

TEST_CASE(
    "train_gpt2: an evaluation has a loss of training data, the same on any ranks, which no step has as its own") {
  Folder const folder;
  auto const losses = [&](std::string const& arguments, char const* name) {
    (void)hash_of(folder, arguments);
    std::string all;
    for (auto const& line : log_of(folder / "log")) all += field(line, name) + " ";
    return all;
  };
  std::string const each = "--micro-batches 6 --precision bf16 ";
  auto const one = losses(each, "train_loss");
  CHECK(one.starts_with("null "));
  CHECK(one.find("null", 5) != std::string::npos);
  CHECK(std::stod(field(log_of(folder / "log")[1], "train_loss")) > 1.0);
  auto const validation = losses(each, "val_loss");
  CHECK(validation != one);
  for (std::string const split : {"--ranks 2 --stage 3", "--ranks 5 --stage 1"}) {
    CHECK(losses(each + split, "train_loss") == one);
    CHECK(losses(each + split, "val_loss") == validation);
  }
  // Without a change of the parameters both losses stay, as the data are the same ones.
  (void)hash_of(folder, "--lr 0");
  auto const still = log_of(folder / "log");
  CHECK(field(still[1], "train_loss") == field(still[3], "train_loss"));
  CHECK(std::stod(field(still[1], "eval_seconds")) > 0.0);
  CHECK(field(still[0], "eval_seconds") == "0");
  (void)hash_of(folder, "--lr 0 --eval-train-batches 1");
  CHECK(field(log_of(folder / "log")[1], "train_loss") != field(still[1], "train_loss"));
  CHECK(field(log_of(folder / "log")[1], "val_loss") == field(still[1], "val_loss"));
  // Where the rest of the text is another one, the two losses tell them apart.
  std::string text;
  while (text.size() < 9000) text += "ab";
  std::ofstream(folder / "two.txt") << text << std::string(1000, 'b');
  CHECK(
      run("--data " + folder.quote("two.txt") + tiny + "--iterations 20 --lr 1e-2 --log " + folder.quote("log")).code ==
      0);
  auto const last = log_of(folder / "log").back();
  CHECK(std::stod(field(last, "train_loss")) + 0.1 < std::stod(field(last, "val_loss")));
  (void)hash_of(folder, "--eval-train-batches 0");
  CHECK(field(log_of(folder / "log")[1], "train_loss") == "null");
}

TEST_CASE("train_gpt2: --eval-at-start evaluates before the first step and changes nothing else") {
  Folder const folder;
  auto const plain = hash_of(folder, "--ranks 2 --lr 0");
  auto const after = log_of(folder / "log");
  CHECK(hash_of(folder, "--ranks 2 --lr 0 --eval-at-start") == plain);
  auto const with = log_of(folder / "log");
  REQUIRE(with.size() == after.size() + 1);
  CHECK(field(with[0], "step") == "0");
  CHECK(field(with[0], "loss") == "null");
  for (char const* name : {"val_loss", "train_loss"}) CHECK(field(with[0], name) == field(after[1], name));
  // A run that is resumed has it in its log; one that has nothing to do does not evaluate.
  std::string const saves = "--data " + folder.quote("text.txt") + tiny + "--eval-at-start --checkpoint-dir " +
                            folder.quote("run") + " --resume auto --log " + folder.quote("saved log");
  CHECK(run(saves).output.find("evaluation: after 0 steps, validation ") != std::string::npos);
  CHECK(run(saves + " --iterations 6").output.find("evaluation: after 4 steps, validation ") != std::string::npos);
  CHECK(log_of(folder / "saved log").size() == 1 + 6);
  CHECK(run(saves).output.find("evaluation: after") == std::string::npos);
}

TEST_CASE("train_gpt2: --evaluate says the losses that the run has had, on any ranks, and writes nothing") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt");
  std::string const saves = data + tiny + "--precision bf16 --seed 5 --micro-batches 5 --ranks 3 --save-interval 2 " +
                            "--checkpoint-dir " + folder.quote("run") + " --log " + folder.quote("log");
  REQUIRE(run(saves).code == 0);
  auto const line = log_of(folder / "log")[1];
  auto const before = fs::last_write_time(folder / "run");
  std::string const evaluate = data + " --evaluate " + folder.quote("run/step-2");
  for (std::string const split : {"", " --ranks 2 --stage 3", " --ranks 5 --stage 0 --offload cpu"}) {
    auto const outcome = run(evaluate + split);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    CHECK(outcome.output.find("step-2, 2 updates done") != std::string::npos);
    CHECK(outcome.output.find("validation loss " + field(line, "val_loss") + ", perplexity ") != std::string::npos);
    CHECK(outcome.output.find("training   loss " + field(line, "train_loss") + ", perplexity ") != std::string::npos);
    CHECK(outcome.output.find("step 1/") == std::string::npos);
    CHECK(outcome.output.find("saved ") == std::string::npos);
  }
  CHECK(fs::last_write_time(folder / "run") == before);
  auto const other = run(data + " --evaluate " + folder.quote("run") + " --precision fp32 --eval-batches 2");
  CHECK(other.output.find("step-4, 4 updates done") != std::string::npos);
  CHECK(other.output.find("over 2 micro-batches of 2 sequences") != std::string::npos);
  for (std::string const option : {"--resume auto", "--iterations 5", "--lr 1", "--checkpoint-dir x", "--save-hf x",
                                   "--log x", "--sample 5", "--eval-at-start"}) {
    check_rejected("--evaluate x " + option, "--evaluate trains nothing and writes nothing");
  }
  check_rejected(evaluate + " --heads 4", "--heads 4: the model of");
  check_rejected(data + " --evaluate " + folder.quote("nowhere"), "there is no folder", 4);
}

TEST_CASE("train_gpt2: the start says G, sequences, tokens and an epoch's steps") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  auto const all = run(data + "--micro-batches 5 --ranks 3").output;
  CAPTURE(all);
  CHECK(all.find("step: G = 5 micro-batches of all ranks, 10 sequences, 80 tokens; an epoch") != std::string::npos);
  auto const each = run(data + "--accumulate 3 --ranks 2 --batch 4").output;
  CHECK(each.find("step: G = 6 micro-batches of all ranks, 24 sequences, 192 tokens") != std::string::npos);
  auto const tokens = static_cast<double>(fs::file_size(folder / "text.txt"));
  auto const at = each.find("training data is ");
  REQUIRE(at != std::string::npos);
  auto const steps = std::stod(each.substr(at + 17));
  CHECK(steps * 192 > 0.89 * tokens);
  CHECK(steps * 192 < 0.91 * tokens);
}

TEST_CASE(
    "train_gpt2: lines and log say ms of a step, data apart, and epochs, which a run that is resumed goes on with") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--micro-batches 5 ";
  auto const whole =
      run(run_of + "--log " + folder.quote("log") + " --save-interval 2 --checkpoint-dir " + folder.quote("run"));
  CAPTURE(whole.output);
  REQUIRE(whole.code == 0);
  CHECK(whole.output.find(" ms  ") != std::string::npos);
  CHECK(whole.output.find("  epoch 0.0") != std::string::npos);
  auto const lines = log_of(folder / "log");
  auto const text = static_cast<double>(fs::file_size(folder / "text.txt"));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto const number = [&](char const* name) { return std::stod(field(lines[i], name)); };
    CHECK(number("ms") > number("data_ms"));
    CHECK(number("data_ms") > 0.0);
    // 5 micro-batches of 2 sequences of 8 tokens, and nine tenths of the text is for training.
    CHECK(number("tokens_per_second") * number("ms") / 1e3 == doctest::Approx(80.0));
    CHECK(number("samples") == doctest::Approx(10.0 * static_cast<double>(i + 1)));
    CHECK(number("epoch") == doctest::Approx(80.0 * static_cast<double>(i + 1) / (0.9 * text)).epsilon(1e-3));
  }
  // With other batches from the middle on: what was drawn before counts as it was.
  auto const rest =
      run(run_of + "--batch 4 --ranks 2 --log " + folder.quote("rest") + " --resume " + folder.quote("run/step-2"));
  CAPTURE(rest.output);
  REQUIRE(rest.code == 0);
  auto const epoch = std::stod(field(log_of(folder / "rest")[0], "epoch"));
  CHECK(std::stod(field(log_of(folder / "rest")[0], "samples")) == doctest::Approx(2 * 10.0 + 20.0));
  CHECK(epoch == doctest::Approx((2 * 80.0 + 160.0) / (0.9 * text)).epsilon(1e-3));
}

TEST_CASE("train_gpt2: --deadline ends a run of threads that wait for one of them") {
  Folder const folder;
  // Rank 0 opens its log, which is a pipe that nobody reads. Once the other rank's thread has ended, somebody does.
  auto const pipe = folder.quote("pipe");
  auto const outcome = run_in("mkfifo " + pipe + "; threads() { ls /proc/$pid/task 2>/dev/null | wc -l; }; " +
                                  "await() { n=600; while ! test $(threads) $1 $2 && [ $n -gt 0 ]; do n=$((n - 1)); "
                                  "sleep 0.05; done; }; OPENBLAS_NUM_THREADS=1 ",
                              "--data " + folder.quote("text.txt") +
                                  last_of_each(tiny + "--ranks 2 --threads 1 --deadline 0.2 --log " + pipe +
                                               " 2>&1 & pid=$!; await -ge 2; await -le 1; timeout 60 cat " + pipe +
                                               " > /dev/null & wait $pid; exit $?"));
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.find("rank 0") != std::string::npos);
  CHECK(outcome.output.find("parameter hash") == std::string::npos);
  for (std::string const value : {"0", "-1", "nan", "1e9", "x"}) {
    check_rejected("--deadline " + value, "--deadline " + value + ": expected a number of seconds from 0.001 to 1e6");
  }
}

}  // namespace trainer_evaluation_test
