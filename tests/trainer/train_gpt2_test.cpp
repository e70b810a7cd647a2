// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace trainer_train_gpt2_test {

using namespace trainer_test;

namespace {

/// What each line of a log that has \p key says of it, true as 1.
std::vector<double> of_each_line(fs::path const& log, std::string const& key) {
  std::ifstream file(log);
  std::vector<double> values;
  for (std::string line; std::getline(file, line);) {
    auto const at = line.find("\"" + key + "\": ");
    if (at == std::string::npos) continue;
    auto const value = line.substr(at + key.size() + 4);
    values.push_back(value.starts_with("true") ? 1 : std::strtod(value.c_str(), nullptr));
  }
  return values;
}

}  // namespace

TEST_CASE(
    "train_gpt2: any split of the global sequence over ranks and micro-batches trains the same model to the bit") {
  Folder const folder;
  std::string const each = " --reduce each_micro_batch ";
  for (std::string const precision : {"fp32", "bf16", "fp16"}) {
    auto const one = hash_of(folder, joined({each, "--stage 0 --ranks 1 --accumulate 6 --precision ", precision}));
    for (std::string const split :
         {"--ranks 2 --accumulate 3", "--ranks 3 --accumulate 2", "--ranks 6 --accumulate 1"}) {
      CHECK(hash_of(folder, joined({each, "--stage 2 ", split, " --precision ", precision})) == one);
    }
    CHECK(hash_of(folder, joined({each, "--stage 3 --ranks 2 --accumulate 3 --precision ", precision})) == one);
    CHECK(hash_of(folder, joined({each, "--stage 1 --ranks 2 --accumulate 3 --offload cpu --precision ", precision})) ==
          one);
    CHECK(hash_of(folder, joined({each, "--stage 3 --ranks 1 --accumulate 6 --threads 3 --offload cpu --precision ",
                                  precision})) == one);
  }
}

TEST_CASE("train_gpt2: the result depends on the number of micro-batches, whatever the ranks do not divide") {
  Folder const folder;
  std::string const each = "--micro-batches 5 --precision bf16 ";
  auto const one = hash_of(folder, each + "--stage 0 --ranks 1");
  CHECK(hash_of(folder, "--accumulate 5 --precision bf16 --stage 2 --ranks 1") == one);
  for (std::string const split : {"--ranks 2 --stage 3", "--ranks 3 --stage 1", "--ranks 4 --stage 2 --offload cpu",
                                  "--ranks 7 --stage 3 --allow-idle-ranks"}) {
    CHECK(hash_of(folder, each + split) == one);
  }
  CHECK(hash_of(folder, "--micro-batches 6 --precision bf16 --ranks 3") != one);
  check_rejected("--micro-batches 2 --ranks 3", "fewer than the 3 ranks");
  check_rejected("--micro-batches 2 --accumulate 2", "give one of them");
  check_rejected("--allow-idle-ranks", "--micro-batches says how many");
}

TEST_CASE("train_gpt2: a resumed run keeps its number of micro-batches on other ranks, unless another is given") {
  Folder const folder;
  std::string const each = " --iterations 6 --precision fp16 ";
  std::string const saves = each + "--save-interval 2 --checkpoint-dir " + folder.quote("run");
  auto const whole = hash_of(folder, each + "--micro-batches 7 --stage 0 --ranks 1");
  CHECK(hash_of(folder, saves + " --micro-batches 7 --stage 2 --ranks 4") == whole);
  auto const from_path = each + "--resume " + folder.quote("run/step-2");
  CHECK(hash_of(folder, from_path + " --stage 3 --ranks 3 --offload cpu") == whole);
  CHECK(hash_of(folder, from_path + " --stage 1 --ranks 5") == whole);
  check_rejected(from_path + " --ranks 2 --accumulate 2", "has 7 micro-batches per step of all ranks");
  check_rejected(from_path + " --ranks 8", "fewer than the 8 ranks");
  auto const other = run("--data " + folder.quote("text.txt") + tiny + from_path + " --ranks 2 --micro-batches 8");
  CAPTURE(other.output);
  CHECK(other.code == 0);
  CHECK(other.output.find("--micro-batches 7, now 8") != std::string::npos);
  CHECK(other.output.find("other bits, because of --micro-batches") != std::string::npos);
}

TEST_CASE("train_gpt2: --device cuda says in one line what is missing, and cpu is the default") {
  Folder const folder;
  CHECK(hash_of(folder, "--device cpu") == hash_of(folder, ""));
#if TRAIN_GPT2_HAS_CUDA
  // With a GPU it trains: tests/cuda/gpt2_test.cu. No GPU is visible here, on any machine.
  auto const outcome = run_in("CUDA_VISIBLE_DEVICES=", "--device cuda" + tiny);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.rfind("train_gpt2: zero: cudaGetDeviceCount failed", 0) == 0);
  CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
  // What a launcher says is judged before anything is trained.
  auto const one_of_two = run_in("RANK=2 WORLD_SIZE=2", "--device cuda" + tiny);
  CAPTURE(one_of_two.output);
  CHECK(one_of_two.code == 2);
  CHECK(one_of_two.output.find("WORLD_SIZE") != std::string::npos);
#else
  check_rejected("--device cuda" + tiny, "built without CUDA");
  check_rejected("--device cuda" + tiny, "-DZERO_BUILD_CUDA=ON");
#endif
}

TEST_CASE("train_gpt2: every option changes the run") {
  Folder const folder;
  auto const base = hash_of(folder, "--stage 1");
  for (std::string const option : {"--layers 1",         "--heads 4",
                                   "--width 32",         "--context 4",
                                   "--batch 3",          "--accumulate 2",
                                   "--iterations 5",     "--lr 2e-3",
                                   "--min-lr 9e-4",      "--warmup 3",
                                   "--weight-decay 0.5", "--beta2 0.5",
                                   "--clip 0.01",        "--seed 7",
                                   "--ranks 2",          "--precision bf16",
                                   "--schedule linear",  "--schedule constant",
                                   "--schedule wsd",     "--schedule wsd --decay 3"}) {
    CAPTURE(option);
    CHECK(hash_of(folder, "--stage 1 " + option) != base);
  }
  CHECK(hash_of(folder, "--stage 1 --offload cpu") == base);
  CHECK(hash_of(folder, "--stage 1 --offload cpu --delayed-update") != base);
  // Three micro-batches over three ranks: sums of sums round differently from one sum.
  CHECK(hash_of(folder, "--stage 1 --ranks 3 --accumulate 3 --reduce once_per_step") !=
        hash_of(folder, "--stage 1 --ranks 3 --accumulate 3 --reduce each_micro_batch"));
  auto const evaluated = [&](std::string const& arguments) {
    return run("--data " + folder.quote("text.txt") + tiny + arguments).output;
  };
  CHECK(evaluated("--eval-interval 1").find("step 1/4") != std::string::npos);
  CHECK(evaluated("--sample 20 --temperature 0").find("sample:\n") != std::string::npos);
  auto const sample = [&](std::string const& arguments) {
    auto const output = evaluated("--sample 200 --lr 0 " + arguments);
    auto const begin = output.find("sample:\n");
    REQUIRE(begin != std::string::npos);
    return output.substr(begin, output.find("where memory went") - begin);
  };
  CHECK(sample("--temperature 0.5 --top-p 1") != sample("--temperature 2 --top-p 1"));
  CHECK(sample("--temperature 1 --top-p 0.1") != sample("--temperature 1 --top-p 1"));
  auto const one = evaluated("--eval-batches 1");
  CHECK(one.substr(one.find("validation")) !=
        evaluated("--eval-batches 2").substr(evaluated("--eval-batches 2").find("validation")));
}

TEST_CASE("train_gpt2: stages and offload show in the table of memory and nowhere else") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny + "--precision bf16 --ranks 2 ";
  auto const stage_0 = run(data + "--stage 0").output;
  CHECK(stage_0.find("ZeRO-0") != std::string::npos);
  CHECK(stage_0.find("gathered") == std::string::npos);
  CHECK(run(data + "--stage 3").output.find("gathered") != std::string::npos);
  CHECK(stage_0.find("pageable  master") == std::string::npos);
  CHECK(run(data + "--stage 0 --offload cpu").output.find("pageable  master") != std::string::npos);
}

TEST_CASE("train_gpt2: without --data it trains on the headers of the standard library and says which") {
  auto const outcome = run(tiny + "--sample 10");
  INFO(outcome.output);
  CHECK(outcome.code == 0);
  CHECK(outcome.output.find("data: ") != std::string::npos);
  CHECK(outcome.output.find(" bytes, hash ") != std::string::npos);
}

TEST_CASE("train_gpt2: the log has one object per step, then the hash") {
  Folder const folder;
  auto const outcome =
      run("--data " + folder.quote("text.txt") + tiny + " --precision fp16 --log " + folder.quote("log"));
  REQUIRE(outcome.code == 0);
  std::ifstream file(folder / "log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  REQUIRE(lines.size() == 5);
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(lines[i]);
    CHECK(lines[i].rfind("{\"step\": " + std::to_string(i + 1) + ", \"loss\": ", 0) == 0);
    for (char const* key : {"val_loss", "grad_norm", "lr", "loss_scale", "skipped", "tokens_per_second"}) {
      CHECK(lines[i].find(std::string("\"") + key + "\": ") != std::string::npos);
    }
    CHECK((lines[i].find("\"val_loss\": null") != std::string::npos) == (i % 2 == 0));
  }
  CHECK(lines[4].rfind("{\"parameter_hash\": \"", 0) == 0);
  CHECK(lines[4].size() == std::string("{\"parameter_hash\": \"0123456789abcdef\"}").size());
}

TEST_CASE("train_gpt2: the learning rate falls as --schedule says, or where --decay begins") {
  Folder const folder;
  auto const rates = [&](std::string const& options) {
    CHECK(run("--data " + folder.quote("text.txt") + tiny + "--iterations 6 --warmup 1 --lr 0.5 --log " +
              folder.quote("log") + " " + options)
              .code == 0);
    return of_each_line(folder / "log", "lr");
  };
  using Rates = std::vector<double>;
  CHECK(rates("--schedule constant") == Rates{0.25, 0.5, 0.5, 0.5, 0.5, 0.5});
  CHECK(rates("--schedule wsd --min-lr 0 --decay 2") == Rates{0.25, 0.5, 0.5, 0.5, 0.5, 0.25});
  CHECK(rates("--schedule wsd --min-lr 0 --decay 0") == Rates{0.25, 0.5, 0.5, 0.5, 0.5, 0.5});
  CHECK(rates("--schedule wsd") == Rates{0.25, 0.5, 0.5, 0.5, 0.5, 0.5});  // a fifth of 6 is 1, the first of it
  CHECK(rates("--schedule linear --min-lr 0.25 --warmup 2") == Rates{0.5 / 3, 1.0 / 3, 0.5, 0.4375, 0.375, 0.3125});
  CHECK(rates("--min-lr 0.25 --warmup 2").at(4) == 0.375);  // the middle of the cosine
}

TEST_CASE("train_gpt2: the schedule waits where steps are skipped, or goes on, and so it does after a resume") {
  Folder const folder;
  auto const train = [&](std::string const& options) {
    auto const outcome = run("--data " + folder.quote("text.txt") + tiny +
                             "--iterations 12 --warmup 0 --lr 3 --min-lr 0 --schedule linear --precision fp16 --log " +
                             folder.quote("log") + " " + options);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    auto const rates = of_each_line(folder / "log", "lr"), skipped = of_each_line(folder / "log", "skipped");
    bool const holds = options.find("hold") != std::string::npos;
    std::size_t scheduled = 0, skips = 0;
    REQUIRE(rates.size() == 12);
    for (std::size_t i = 0; i < rates.size(); ++i) {
      CHECK(rates[i] == doctest::Approx(3.0 * static_cast<double>(12 - scheduled) / 12));
      if (skipped[i] != 0) ++skips;
      if (skipped[i] == 0 || !holds) ++scheduled;
    }
    CHECK(skips > 0);
    CHECK(skips < 10);
    auto const at = outcome.output.find("parameter hash: ");
    REQUIRE(at != std::string::npos);
    return outcome.output.substr(at, 32);
  };
  auto const advanced = train("--skipped-step advance"), held = train("--skipped-step hold");
  CHECK(train("") == advanced);
  CHECK(held != advanced);
  for (std::string const mode : {"hold", "advance"}) {
    CAPTURE(mode);
    std::string const option = "--skipped-step " + mode;
    (void)train(option + " --eval-interval 7 --checkpoint-dir " + folder.quote(mode.c_str()));
    std::vector<std::string> saved;
    for (auto const& entry : fs::directory_iterator(folder / mode.c_str())) {
      if (entry.is_directory()) saved.push_back(entry.path().filename().string());
    }
    REQUIRE(saved.size() == 2);  // after step 7 and after the last, by the number of updates, which has one digit
    auto const middle = joined({mode, "/", *std::min_element(saved.begin(), saved.end())});
    CHECK(train(option + " --resume " + folder.quote(middle.c_str())) == (mode == "hold" ? held : advanced));
  }
}

TEST_CASE("train_gpt2: a log is left alone until all inputs are read, and never ends a run") {
  Folder const folder;
  std::ofstream(folder / "log") << "of an earlier run\n";
  CHECK(run("--data " + folder.quote("missing.txt") + " --log " + folder.quote("log")).code == 4);
  CHECK(
      run("--data " + folder.quote("text.txt") + tiny + "--log " + folder.quote("log") + " --init-from missing").code ==
      4);
  CHECK(last_line(folder / "log") == "of an earlier run");
  auto const full = run("--data " + folder.quote("text.txt") + tiny + "--log /dev/full");
  CAPTURE(full.output);
  CHECK(full.code == 0);
  auto const warning = full.output.find("train_gpt2: warning: --log /dev/full: could not be written: No space left");
  CHECK(warning != std::string::npos);
  CHECK(full.output.find("warning", warning + 20) == std::string::npos);
  CHECK(full.output.find("parameter hash: ") != std::string::npos);
}

TEST_CASE("train_gpt2: the log of a run that is resumed is cut back to where it goes on") {
  Folder const folder;
  std::string const saves = "--data " + folder.quote("text.txt") + tiny + "--save-interval 2 --log " +
                            folder.quote("log") + " --checkpoint-dir " + folder.quote("run") + " --iterations 6 ";
  CHECK(run(saves).code == 0);
  std::ofstream(folder / "log", std::ios::app) << "{\"step\": 7, \"lo";  // as a process leaves it that is killed
  CHECK(run(saves + "--resume " + folder.quote("run/step-4")).code == 0);
  std::ifstream log(folder / "log");
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) lines.push_back(line);
  REQUIRE(lines.size() == 6 + 1);
  for (std::size_t i = 0; i < 6; ++i) CHECK(lines[i].starts_with("{\"step\": " + std::to_string(i + 1) + ","));
  CHECK(lines[6].starts_with("{\"parameter_hash\""));
}

TEST_CASE("train_gpt2: a gradient that is exactly 0 is told once, after three steps") {
  Folder const folder;
  std::ofstream(folder / "one letter.txt") << std::string(20000, 'a');  // nothing is to be learnt from it
  auto const outcome = run("--data " + folder.quote("one letter.txt") + tiny + "--iterations 5");
  CHECK(outcome.code == 0);
  std::string const told = "the gradient was exactly 0 in 3 steps in a row";
  auto const at = outcome.output.find(told);
  REQUIRE(at != std::string::npos);
  CHECK(outcome.output.find("step 3/5") < at);
  CHECK(at < outcome.output.find("step 4/5"));
  CHECK(outcome.output.find(told, at + 1) == std::string::npos);
}

TEST_CASE("train_gpt2: a run that diverges ends with a sentence, its code and the checkpoint before it") {
  Folder const folder;
  for (std::string const precision : {"fp32", "bf16"}) {
    CAPTURE(precision);
    auto const outcome =
        run(joined({"--data ", folder.quote("text.txt"), tiny, "--iterations 50 --eval-interval 50 ",
                    "--ranks 2 --lr 1e30 --max-skips 7 --precision ", precision, " --log ", folder.quote("log"),
                    " --keep 2 --save-interval 1 --checkpoint-dir ", folder.quote(precision.c_str())}));
    CAPTURE(outcome.output);
    CHECK(outcome.code == 6);
    CHECK(outcome.output.find(
              "train_gpt2: training has diverged at step 2: no gradient of the last 7 steps is finite, '") !=
          std::string::npos);
    CHECK(outcome.output.find("lower --lr, or raise --warmup\n") != std::string::npos);
    CHECK(outcome.output.find("overflowed") == std::string::npos);
    CHECK(outcome.output.find("-nan") == std::string::npos);
    CHECK(last_line(folder / "log").starts_with("{\"step\": 8,"));
    CHECK(last_line(folder / "log").find("\"grad_norm\": null,") != std::string::npos);
    CHECK(fs::exists(folder / precision.c_str() / "step-1"));
  }
  // At the end of a run that is shorter, too; and never where it is not asked for.
  std::string const brief = "--data " + folder.quote("text.txt") + tiny + "--lr 1e30 ";
  CHECK(run(brief).code == 6);
  CHECK(run(brief + "--max-skips 0").code == 0);
}

TEST_CASE("train_gpt2: a model that is far too large for the machine is refused at once") {
  Folder const folder;
  auto const outcome = run("--data " + folder.quote("text.txt") + " --layers 1024 --width 65536 --context 16");
  CAPTURE(outcome.output);
  CHECK(outcome.code == 1);
  CHECK(outcome.output.find("train_gpt2: out of memory: the model has 52,777,434,218,496 parameters, ") == 0);
}

TEST_CASE("train_gpt2: bad input is one line that says what is wrong, and an exit code of its kind") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + " ";
  int const data_error = 4;
  check_rejected("--device tpu", "--device tpu: expected cpu|cuda");
  check_rejected("--ranks 0", "--ranks 0: expected a whole number from 1 to 256");
  check_rejected("--stage 4", "--stage 4: expected 0|1|2|3");
  check_rejected("--width 130", "must divide");
  check_rejected("--frobnicate 1", "--frobnicate: unknown option");
  check_rejected("--max_iters 5", "--max_iters: unknown option; did you mean --iterations?");
  check_rejected("--fp16", "did you mean --precision fp16?");
  check_rejected("--world 2", "did you mean --ranks?");
  check_rejected("--granule 256", "--granule: unknown option; the engine aligns parameters by itself: leave it out");
  check_rejected("--ranks 2 --ranks=4", "--ranks: is given twice");
  check_rejected("--model gpt2-xxl", "the models are gpt2-124m (gpt2), ");
  check_rejected("--model gpt2-xl --layers 4", "--layers 4: --model gpt2-xl has 48");
  check_rejected("text.txt", "text.txt: is no option");
  check_rejected("--layers 4x", "--layers 4x: expected a whole number");
  check_rejected("--lr 1e-3s", "--lr 1e-3s: expected a number");
  check_rejected("--lr nan", "--lr nan: expected");
  check_rejected("--lr -1", "--lr -1: expected");
  check_rejected("--clip inf", "--clip inf: expected");
  check_rejected("--beta2 1", "--beta2 1: expected a number in [0, 1)");
  check_rejected("--layers", "--layers: needs a value");
  check_rejected("--batch 0", "--batch 0: expected");
  check_rejected("--iterations 99999999999999999999", "--iterations 99999999999999999999: expected");
  check_rejected("--precision fp8", "--precision fp8: expected fp32|bf16|fp16");
  check_rejected("--reduce once_per_step --stage 2", "--reduce once_per_step: keeps whole gradients");
  check_rejected("--delayed-update", "--delayed-update: needs --offload cpu");
  check_rejected("--cuda-graph", "--cuda-graph: records what GPUs do: use --device cuda");
  check_rejected("--cuda-graph --device cuda --offload cpu", "--cuda-graph: an offloaded step waits on the host");
  check_rejected("--min-lr 1 --lr 1e-3", "--min-lr: must not be above --lr");
  check_rejected("--schedule step", "--schedule step: expected cosine|linear|constant|wsd");
  check_rejected("--skipped-step no", "--skipped-step no: expected hold|advance");
  check_rejected("--schedule constant --min-lr 0", "--min-lr: the learning rate of --schedule constant stays --lr");
  check_rejected("--decay 5", "--decay: needs --schedule wsd");
  check_rejected("--schedule wsd --iterations 10 --warmup 3 --decay 8",
                 "--decay: must not be more than the --iterations");
  check_rejected(data + "--log /nonexistent/log", "--log /nonexistent/log: cannot be written");
  check_rejected(data + "--log " + folder.quote("."), "cannot be written");

  check_rejected("--data " + folder.quote("missing.txt"), "missing.txt", data_error);
  check_rejected("--data " + folder.quote("."), "folder", data_error);
  std::ofstream(folder / "empty.txt").close();
  check_rejected("--data " + folder.quote("empty.txt"), "empty", data_error);
  std::ofstream(folder / "short.txt") << "to be";
  check_rejected("--data " + folder.quote("short.txt"), "short.txt", data_error);
  std::ofstream(folder / "binary.txt", std::ios::binary) << std::string(4000, '\0') << "x";
  check_rejected("--data " + folder.quote("binary.txt"), "binary.txt", data_error);
}

TEST_CASE(
    "train_gpt2: a run that is resumed, on other ranks and in another stage, ends with the bits of one that was not") {
  Folder const folder;
  std::string const each = " --reduce each_micro_batch --iterations 6 --precision fp16 ";
  auto const whole = hash_of(folder, each + "--stage 0 --ranks 1 --accumulate 6");
  std::string const saves = each + "--save-interval 2 --checkpoint-dir " + folder.quote("run");
  CHECK(hash_of(folder, saves + " --stage 2 --ranks 2 --accumulate 3") == whole);
  for (auto const* const last : {"step-6", "latest", "final"}) fs::remove_all(folder / "run" / last);
  CHECK(hash_of(folder, saves + " --stage 3 --ranks 3 --accumulate 2 --offload cpu --seed 99 --resume auto") == whole);
  CHECK(fs::exists(folder / "run" / "step-6"));
  auto const from_path = each + "--stage 1 --ranks 6 --accumulate 1 --resume " + folder.quote("run/step-2");
  CHECK(hash_of(folder, from_path) == whole);
  CHECK(hash_of(folder, from_path + " --parameters-only") != whole);
}

TEST_CASE("train_gpt2: old checkpoints go, but not the best one; the log of a resumed run goes on") {
  Folder const folder;
  std::string const saves = "--data " + folder.quote("text.txt") + tiny + "--save-interval 1 --keep 2 --log " +
                            folder.quote("log") + " --checkpoint-dir " + folder.quote("run") + " --resume auto";
  auto const first = run(saves);
  CHECK(first.code == 0);
  CHECK(first.output.find("none in") != std::string::npos);
  auto const second = run(saves + " --iterations 8");
  CHECK(second.code == 0);
  CHECK(second.output.find("/step-4, 4 updates done") != std::string::npos);
  std::ifstream best(folder / "run" / "best"), log(folder / "log");
  std::string tag, line;
  std::getline(best, tag);
  CHECK(fs::exists(folder / "run" / tag / "manifest.json"));
  CHECK(fs::exists(folder / "run" / "step-7"));
  CHECK(fs::exists(folder / "run" / "step-8"));
  CHECK(std::distance(fs::directory_iterator(folder / "run"), {}) <= 3 + 3);
  int lines = 0;
  while (std::getline(log, line)) ++lines;
  CHECK(lines == 4 + 1 + 4 + 1);
}

TEST_CASE("train_gpt2: a signal ends the run after its step, saved, with an exit code of its own") {
  Folder const folder;
  std::string const saves = "--data " + folder.quote("text.txt") + tiny + "--ranks 2 --save-interval 1000000 " +
                            "--checkpoint-dir " + folder.quote("run");
  for (std::string const signal : {"TERM", "INT", "USR1"}) {
    // The shell stops the trainer once its log shows that it is at work.
    auto const outcome = run(joined({saves, " --iterations 1000000 --resume auto --log ", folder.quote("log"),
                                     " & pid=$!; while ! [ -s ", folder.quote("log"), " ]; do sleep 0.05; done; kill -",
                                     signal, " $pid; wait $pid; code=$?; rm ", folder.quote("log"), "; exit $code"}));
    INFO(outcome.output);
    CHECK(outcome.code == 3);
    CHECK(outcome.output.find("stopped by a signal") != std::string::npos);
  }
  auto const resumed = run(saves + " --resume auto --iterations 1");
  CHECK(resumed.output.find("resumed from") != std::string::npos);
  CHECK(resumed.code == 0);
}

TEST_CASE("train_gpt2: what is saved for Hugging Face is what is taken from it") {
  Folder const folder;
  auto const saved = hash_of(folder, "--save-hf " + folder.quote("model"));
  auto const model = folder.quote("model/model.safetensors");
  CHECK(hash_of(folder, "--lr 0 --iterations 1 --init-from " + model) == saved);
  CHECK(hash_of(folder, "--lr 0 --iterations 1 --stage 3 --ranks 3 --init-from " + model) == saved);
  CHECK(hash_of(folder, "--lr 0 --iterations 1") != saved);
  std::ofstream(folder / "model" / "model.safetensors.index.json")
      << R"({"weight_map": {"transformer.wte.weight": "model.safetensors"}})";
  auto const index = folder.quote("model/model.safetensors.index.json");
  CHECK(hash_of(folder, "--lr 0 --iterations 1 --init-from " + index) == saved);
  auto const config = last_line(folder / "model" / "config.json");
  CHECK(config.find(R"("n_embd":16,"n_layer":2,"n_head":2)") != std::string::npos);
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  auto const wider = run(data + "--width 32 --init-from " + model),
             deeper = run(data + "--layers 3 --init-from " + model);
  CHECK(wider.code == 2);
  CHECK(wider.output.find("--width 32: the model of ") != std::string::npos);
  CHECK(deeper.code == 2);
  CHECK(deeper.output.find("has 2: leave the option out") != std::string::npos);
}

namespace {

void replace_in(fs::path const& path, std::string const& old, std::string const& now) {
  std::ifstream in(path);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  in.close();
  auto const at = text.find(old);
  REQUIRE(at != std::string::npos);
  std::ofstream(path) << text.replace(at, old.size(), now);
}

/// A file with one tensor of zeros, F32 [n].
void write_tensor(fs::path const& path, std::string const& name, std::size_t n) {
  std::string const header = "{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[" + std::to_string(n) +
                             "],\"data_offsets\":[0," + std::to_string(4 * n) + "]}}";
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  std::ofstream(path, std::ios::binary) << bytes << header << std::string(4 * n, '\0');
}

}  // namespace

TEST_CASE("train_gpt2: the folder of a Hugging Face model is enough, and says the model's shape") {
  Folder const folder;
  auto const saved = hash_of(folder, "--layers 3 --heads 4 --save-hf " + folder.quote("model"));
  std::string const data = "--data " + folder.quote("text.txt");
  std::string const once = " --batch 2 --sample 0 --eval-batches 1 --lr 0 --iterations 1 --init-from ";
  auto const whole = run(data + once + folder.quote("model") + " --log " + folder.quote("log"));
  INFO(whole.output);
  CHECK(whole.code == 0);
  CHECK(whole.output.find("model: 3 layers, 4 heads, width 16, context 8:") != std::string::npos);
  CHECK(last_line(folder / "log") == saved);
  auto const shorter = run(data + once + folder.quote("model") + " --context 5");
  CHECK(shorter.code == 0);
  CHECK(shorter.output.find("of its 8 positions the first 5") != std::string::npos);

  auto const refused = [&](std::string const& more, std::string const& why, int code) {
    auto const outcome = run(data + once + folder.quote("model") + more);
    CAPTURE(more);
    CAPTURE(outcome.output);
    CHECK(outcome.code == code);
    CHECK(outcome.output.find(why) != std::string::npos);
  };
  refused(" --context 9", "--context 9: the model of", 2);
  refused(" --heads 2", "--heads 2: the model of", 2);
  refused(" --layers 2", "--layers 2: the model of", 2);
  refused(" --model gpt2", "has 3: leave the option out", 2);
  fs::path const config = folder / "model" / "config.json";
  for (auto const& [old, now, why] : std::vector<std::array<std::string, 3>>{
           {"\"n_layer\":3", "\"n_layer\":2", "n_layer is 2, but the tensors have 3"},
           {"\"n_head\":4", "\"n_head\":3", "n_head does not say"},
           {"gelu_new", "relu", "activation_function is 'relu', but this model computes the tanh form"},
           {"\"tie_word_embeddings\":true", "\"tie_word_embeddings\":false", "tie_word_embeddings is false"},
           {"\"model_type\":\"gpt2\"", "\"model_type\":\"llama\"", "model_type is 'llama'"},
           {"{", "[", "is no JSON"}}) {
    replace_in(config, old, now);
    refused("", why, 4);
    replace_in(config, now, old);
  }
  fs::rename(config, folder / "away");
  for (auto const* const place : {"model", "model/model.safetensors"}) {
    auto const without = run(data + once + folder.quote(place));
    CHECK(without.code == 2);
    CHECK(without.output.find("no config.json beside it says how many heads") != std::string::npos);
    CHECK(run(data + once + folder.quote(place) + " --heads 4").code == 0);
  }
}

TEST_CASE("train_gpt2: what an import would leave out is refused by its name, but for masks, which it names") {
  Folder const folder;
  (void)hash_of(folder, "--save-hf " + folder.quote("model"));
  auto const import_with = [&](std::string const& tensor) {
    write_tensor(folder / "model" / "extra.safetensors", tensor, 4);
    std::ofstream(folder / "model" / "model.safetensors.index.json")
        << R"({"weight_map": {"transformer.wte.weight": "model.safetensors", ")" << tensor
        << R"(": "extra.safetensors"}})";
    return run("--data " + folder.quote("text.txt") + " --iterations 1 --sample 0 --init-from " +
               folder.quote("model"));
  };
  auto const refused = [&](std::string const& tensor, std::string const& why) {
    auto const outcome = import_with(tensor);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 4);
    CHECK(outcome.output.find(why) != std::string::npos);
  };
  refused("lm_head.weight", "'lm_head.weight' is not the token embedding");
  refused("h.5.ln_1.weight", "has 'h.5.ln_1.weight', which this model would leave out");
  refused("transformer.h.0.attn.c_bias", "which this model would leave out");
  for (std::string const mask : {"attn.bias", "attn.masked_bias"}) {
    auto const outcome = import_with("transformer.h.0." + mask);
    CAPTURE(outcome.output);
    CHECK(outcome.code == 0);
    CHECK(outcome.output.find("parameters: left out: 1 " + mask + ", which are masks and no parameters") !=
          std::string::npos);
  }
  auto const all = run("--data " + folder.quote("text.txt") + " --iterations 1 --sample 0 --heads 2 --init-from " +
                       folder.quote("model/model.safetensors"));
  CHECK(all.code == 0);
  CHECK(all.output.find("left out") == std::string::npos);
}

TEST_CASE("train_gpt2: a resumed run says what differs, keeps its heads, and needs no file that it does not read") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt");
  std::string const saves = data + tiny + " --checkpoint-dir " + folder.quote("run") + " --resume auto ";
  (void)hash_of(folder, "--save-hf " + folder.quote("model"));
  CHECK(run(saves + "--init-from " + folder.quote("model")).code == 0);
  fs::remove_all(folder / "model");
  auto const same = run(saves + "--iterations 4 --init-from " + folder.quote("model"));
  CAPTURE(same.output);
  CHECK(same.code == 0);
  CHECK(same.output.find("model is not read, as the run is resumed") != std::string::npos);
  CHECK(same.output.find("run: nothing to train: 4 of 4 steps are done") != std::string::npos);
  CHECK(same.output.find("saved with") == std::string::npos);
  CHECK(same.output.find("other bits") == std::string::npos);

  auto const other = run(saves + "--iterations 6 --batch 3 --seed 5 --stage 1 --eval-batches 1");
  CAPTURE(other.output);
  CHECK(other.code == 0);
  for (char const* part : {"--batch 2, now 3", "--iterations 4, now 6", "--stage 2, now 1", "--eval-batches 3, now 1",
                           "--reduce each_micro_batch, now once_per_step", "goes on with other bits, because of",
                           "the run keeps its seed, 1337, for --seed 5"}) {
    CAPTURE(part);
    CHECK(other.output.find(part) != std::string::npos);
  }
  auto const split =
      run(data + " --sample 0 --iterations 6 --stage 3 --batch 3 --ranks 2 --resume " + folder.quote("run/step-6"));
  CAPTURE(split.output);
  CHECK(split.code == 0);
  CHECK(split.output.find("model: 2 layers, 2 heads, width 16, context 8") != std::string::npos);
  CHECK(split.output.find("because of --reduce, --ranks and --accumulate") != std::string::npos);
  auto const heads = run(saves + "--iterations 6 --heads 4");
  CHECK(heads.code == 2);
  CHECK(heads.output.find("--heads 4: the model of ") != std::string::npos);
  CHECK(run(saves + "--parameters-only --heads 4").code == 2);
}

TEST_CASE("train_gpt2: a launcher's processes are refused on the CPU where each would train alone") {
#if TRAIN_GPT2_HAS_MPI
  std::vector<std::string> const refused{"RANK=1 WORLD_SIZE=2"};  // and others where MPI sees fewer: mpi_test.cpp
  std::string const why = "MPI does not know torchrun's processes";
#else
  std::vector<std::string> const refused{"RANK=1 WORLD_SIZE=2", "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2",
                                         "PMI_RANK=0 PMI_SIZE=2", "MV2_COMM_WORLD_RANK=0 MV2_COMM_WORLD_SIZE=2",
                                         "SLURM_PROCID=0 SLURM_NTASKS=2 SLURM_STEP_ID=0"};
  std::string const why = "built without MPI";
#endif
  for (auto const& variables : refused) {
    CAPTURE(variables);
    auto const outcome = run_in(variables, "--data /nonexistent");
    CAPTURE(outcome.output);
    CHECK(outcome.code == 2);
    CHECK(outcome.output.find("has started 2 processes, and each would train a model of its own") != std::string::npos);
    CHECK(outcome.output.find(why) != std::string::npos);
    CHECK(std::count(outcome.output.begin(), outcome.output.end(), '\n') == 1);
  }
  CHECK(run_in("RANK=0 WORLD_SIZE=1 SLURM_NTASKS=2", "--data /nonexistent").code == 4);
  auto const lonely = run_in("PMIX_RANK=1", "--data /nonexistent");
  CAPTURE(lonely.output);
  CHECK(lonely.code == 2);
  CHECK(lonely.output.find("PMIX_RANK=1 says that a launcher has started several processes") != std::string::npos);
  CHECK(run_in("PMIX_RANK=0", "--data /nonexistent").code == 4);
}

TEST_CASE("train_gpt2: checkpoints that cannot be had are refused in one line") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  check_rejected("--resume auto", "--checkpoint-dir");
  check_rejected("--save-interval 5", "--checkpoint-dir");
  check_rejected("--keep 2", "--checkpoint-dir");
  check_rejected("--keep 1 --checkpoint-dir x", "at least 2");
  check_rejected("--parameters-only", "--resume");
  CHECK(run(data + "--resume " + folder.quote("nothing")).code == 4);
  CHECK(run(data + "--init-from " + folder.quote("nothing")).code == 4);
  CHECK(run(data + "--init-from " + folder.quote("text.txt")).code == 5);
}

TEST_CASE("train_gpt2: where a launcher lets ranks go on, rank 0 alone says what is wrong with their command line") {
  for (std::string const launcher :
       {"SLURM_NTASKS=2 SLURM_STEP_ID=0 SLURM_PROCID=", "TORCHELASTIC_RUN_ID=a WORLD_SIZE=2 RANK="}) {
    CAPTURE(launcher);
    auto const first = run_in(launcher + "0", "--no-such-option"), second = run_in(launcher + "1", "--no-such-option");
    CHECK(first.code == 2);
    CHECK(first.output.rfind("train_gpt2: --no-such-option", 0) == 0);
    CHECK(second.code == 2);
    CHECK(second.output.empty());
  }
  // These may have command lines of their own, or end when one of them does.
  for (std::string const variables : {"WORLD_SIZE=2 RANK=1", "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1",
                                      "PMI_SIZE=2 PMI_RANK=1", "PMI_SIZE=2 PMI_RANK=1 OMPI_COMM_WORLD_RANK=0"}) {
    CAPTURE(variables);
    auto const told = run_in(variables, "--no-such-option");
    CHECK(told.code == 2);
    CHECK(told.output.rfind("train_gpt2: --no-such-option", 0) == 0);
  }
}

}  // namespace trainer_train_gpt2_test
