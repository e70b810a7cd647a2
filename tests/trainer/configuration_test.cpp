// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Runs that a configuration file of DeepSpeed's drives.
#include "trainer/log.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace trainer_configuration_test {

using namespace trainer_test;

namespace {

std::string write(Folder const& folder, std::string const& text) {
  std::ofstream(folder / "ds.json") << text;
  return "--config " + folder.quote("ds.json") + " ";
}

/// `tiny` without a batch, which a configuration says.
std::string const small =
    " --layers 2 --heads 2 --width 16 --context 8 --iterations 4 --eval-interval 2 --eval-batches 3 --sample 0 ";

std::string hash(Folder const& folder, std::string const& arguments) {
  auto const done =
      run("--data " + folder.quote("text.txt") + small + "--log " + folder.quote("log") + " " + arguments);
  CAPTURE(done.output);
  CHECK(done.code == 0);
  auto const at = done.output.find("parameter hash: ");
  REQUIRE(at != std::string::npos);
  return done.output.substr(at + 16, 16);
}

std::string text_of(std::filesystem::path const& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("train_gpt2: a configuration says what options say, to the bit") {
  Folder const folder;
  auto const asked = hash(folder,
                          "--ranks 2 --batch 3 --accumulate 2 --stage 3 --precision bf16 --lr 0.002 --beta2 0.95 "
                          "--weight-decay 0.25 --clip 0.5 --schedule constant --warmup 0 --skipped-step hold");
  auto const file = write(folder, R"({
    "train_batch_size": 12, "train_micro_batch_size_per_gpu": 3, // two micro-batches of each rank
    "gradient_clipping": 0.5, "bf16": {"enabled": true}, "zero_optimization": {"stage": 3},
    "optimizer": {"type": "Adam", "params": {"lr": 2e-3, "betas": [0.9, 0.95], "weight_decay": 0.25}},
    "scheduler": {"type": "constant"},
  })");
  CHECK(hash(folder, file + "--ranks 2") == asked);
  CHECK(hash(folder, "--deepspeed --deepspeed_config " + folder.quote("ds.json") + " --ranks 2") == asked);
  // Each of these changes the bits: nothing of the file is for show.
  for (std::string const other : {"--clip 0.01", "--beta2 0.9", "--lr 0.1", "--weight-decay 0", "--schedule cosine",
                                  "--precision fp32", "--optimizer sgd"}) {
    CAPTURE(other);
    CHECK(hash(folder, joined({file, "--ranks 2 ", other})) != asked);
  }
}

TEST_CASE("train_gpt2: all rules and a static loss scale train, from options and from a file") {
  Folder const folder;
  std::vector<std::string> hashes;
  for (std::string const name : {"adam", "sgd", "lion", "adagrad"}) {
    bool const has_betas = name == "adam" || name == "lion";
    auto const asked = hash(folder, joined({"--optimizer ", name, has_betas ? " --beta2 0.999" : "",
                                            " --lr 0.01 --weight-decay 0 --clip 1 --batch 2 --schedule constant "
                                            "--warmup 0"}));
    auto const file =
        write(folder, R"({"train_batch_size": 2, "scheduler": {"type": "constant"}, "optimizer": {"type": ")" + name +
                          R"(", "params": {"lr": 0.01)" + (name == "adam" ? R"(, "adam_w_mode": false)" : "") + "}}}");
    CHECK(hash(folder, file) == asked);
    for (auto const& other : hashes) CHECK(other != asked);
    hashes.push_back(asked);
  }
  auto const file = write(folder, R"({"train_batch_size": 2, "fp16": {"enabled": true, "loss_scale": 64}})");
  (void)hash(folder, file);
  CHECK(field(log_of(folder / "log")[0], "loss_scale") == "64");
  (void)hash(folder, "--precision fp16 --loss-scale 32 --batch 2");
  CHECK(field(log_of(folder / "log")[0], "loss_scale") == "32");
  (void)hash(folder, file + "--loss-scale 0");
  CHECK(field(log_of(folder / "log")[0], "loss_scale") == "65536");
}

TEST_CASE("train_gpt2: an option beside a file does what it says, or is refused") {
  Folder const folder;
  auto const file = write(folder, R"({"train_batch_size": 2, "scheduler": {"type": "constant"},
    "optimizer": {"type": "AdamW", "params": {"eps": 0.01, "betas": [0.5, 0.9]}}})");
  auto const plain = hash(folder, file);
  CHECK(hash(folder, file + "--optimizer adamw") == plain);
  auto const says = [&](std::string const& more) {
    return run(joined({"--data ", folder.quote("text.txt"), small, file, more})).output;
  };
  CHECK(says("--momentum 0.5").find("--momentum: needs --optimizer sgd") != std::string::npos);
  CHECK(says("--optimizer sgd --beta2 0.5").find("--beta2: SGD and Adagrad have none") != std::string::npos);
  CHECK(says("--warmup 1").find("configuration: --warmup replaces the file's scheduler, constant, whole") !=
        std::string::npos);
}

TEST_CASE("train_gpt2: an option wins where it contradicts what else the file says, and the run says so") {
  Folder const folder;
  auto const trains = [&](std::string const& file, std::string const& more, std::string const& line) {
    auto const done = run(joined({"--data ", folder.quote("text.txt"), small, write(folder, file), more}));
    CAPTURE(done.output);
    CHECK(done.code == 0);
    CHECK(done.output.find(line) != std::string::npos);
  };
  trains(R"({"train_batch_size": 2, "scheduler": {"type": "OneCycle", "params": {"cycle_min_lr": 1e-4,
            "cycle_max_lr": 1e-3}}})",
         "--lr 1e-5", "scheduler.params.cycle_min_lr: 1e-04 is above the learning rate that was given beside it");
  trains(R"({"train_batch_size": 2, "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu",
            "ratio": 0.5}}})",
         "--delayed-update", "offload_optimizer.ratio: --delayed-update needs all states in host memory");
  trains(R"({"train_batch_size": 2, "optimizer": {"type": "SGD", "params": {"momentum": 0.9, "nesterov": true}}})",
         "--momentum 0", "optimizer.params.nesterov: --momentum 0 leaves nothing to look ahead by");
}

TEST_CASE("train_gpt2: a run of a configuration that is resumed without it is told of it") {
  Folder const folder;
  auto const start = "--data " + folder.quote("text.txt") + small + "--checkpoint-dir " + folder.quote("run") + " ";
  REQUIRE(run(start + write(folder, R"({"train_batch_size": 2, "fp16": {"enabled": true}})")).code == 0);
  auto const done = run(start + "--resume auto --iterations 9");
  CAPTURE(done.output);
  CHECK(done.code == 4);
  CHECK(done.output.find("a run that began by --config goes on by it, too") != std::string::npos);
}

TEST_CASE("train_gpt2: OneCycle moves the momentum of a run, too") {
  Folder const folder;
  auto const with = [&](std::string const& more) {
    return hash(folder, write(folder, R"({"train_batch_size": 2, "optimizer": {"type": "Adam"}, "scheduler": {"type":
      "OneCycle", "params": {"cycle_min_lr": 0.001, "cycle_max_lr": 0.01, "cycle_first_step_size": 2)" +
                                          more + "}}}"));
  };
  auto const moving = with("");
  CHECK(with(R"(, "cycle_momentum": false)") != moving);
  CHECK(with(R"(, "cycle_min_mom": 0.5)") != moving);
}

TEST_CASE("train_gpt2: a configuration asks where time and memory go, and for collectives by name") {
  Folder const folder;
  auto const output = [&](std::string const& members) {
    return run("--data " + folder.quote("text.txt") + small +
               write(folder, R"({"train_batch_size": 4)" + members + "}") + "--ranks 2")
        .output;
  };
  auto const none = output("");
  for (std::string const text : {"time: ", "after the first step", "collectives of rank 0"}) {
    CAPTURE(text);
    CHECK(none.find(text) == std::string::npos);
  }
  CHECK(output(R"(, "wall_clock_breakdown": true)").find("time: ") != std::string::npos);
  CHECK(output(R"(, "memory_breakdown": true)").find("at the end") != std::string::npos);
  auto const all = output(R"(, "comms_logger": {"enabled": true})");
  CHECK(all.find("reduce_scatter_add ") != std::string::npos);
  CHECK(all.find("all_gather ") != std::string::npos);
  auto const some = output(R"(, "comms_logger": {"enabled": true, "prof_all": false, "prof_ops": ["all_gather"]})");
  CHECK(some.find("reduce_scatter_add ") == std::string::npos);
  CHECK(some.find("all_gather ") != std::string::npos);
  CHECK(some.find("prof_ops: the run had no collective") == std::string::npos);
  CHECK(output(R"(, "comms_logger": {"enabled": true, "prof_all": false, "prof_ops": ["all_to_all"]})")
            .find("prof_ops: the run had no collective \"all_to_all\"; it had ") != std::string::npos);
}

TEST_CASE("train_gpt2: what a configuration was understood as is printed, and stored with checkpoints") {
  Folder const folder;
  auto const file = write(folder, R"({"train_batch_size": 4, "zero_optimization": {"stage": 1, "overlap_comm": true},
    "optimizer": {"type": "Adam"}, "csv_monitor": {"enabled": true, "output_path": ")" +
                                      (folder / "curves").string() + R"(", "job_name": "Läufe 19:30"}})");
  auto const done = run("--data " + folder.quote("text.txt") + small + file + "--ranks 2 --lr 0.25 --checkpoint-dir " +
                        folder.quote("run"));
  CHECK(done.code == 0);
  for (std::string const text : {"configuration: --lr 0.25 is given beside the file, and wins\n",
                                 "configuration: optimizer.type: \"Adam\" is AdamW, as in DeepSpeed",
                                 "configuration: zero_optimization.overlap_comm: collectives run beside the passes",
                                 "\"train_micro_batch_size_per_gpu\": 2,", "\"lr\": 0.25,"}) {
    CAPTURE(text);
    CHECK(done.output.find(text) != std::string::npos);
  }
  CHECK(std::filesystem::exists(folder / "curves" / "Läufe 19:30"));
  std::string manifest;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(folder / "run")) {
    if (entry.path().filename() == "manifest.json") manifest = text_of(entry.path());
  }
  CHECK(manifest.find(R"("configuration":"{\n  \"train_batch_size\": 4,)") != std::string::npos);
}

TEST_CASE("train_gpt2: a run that goes on with another configuration says what changes its bits") {
  Folder const folder;
  auto const file = [&](std::string const& rule, std::string const& schedule) {
    return write(folder, R"({"train_batch_size": 4, "optimizer": {"type": )" + rule + R"(}, "scheduler": {"type": )" +
                             schedule + R"(, "params": {"lr": 0.01}}})");
  };
  auto const goes_on = [&](std::string const& arguments) {
    auto const done = run(joined({"--data ", folder.quote("text.txt"), small, arguments, " --iterations 6 --resume ",
                                  folder.quote("run"), "/tiny-4"}));
    CHECK(done.code == 0);
    std::string lines;  // what it says of the checkpoint
    for (std::size_t at = 0; at < done.output.size();) {
      auto const end = done.output.find('\n', at);
      auto const line = done.output.substr(at, end - at + 1);
      if (line.starts_with("checkpoint: s")) lines += line;
      at = end + 1;
    }
    return lines;
  };
  auto const first = run(joined({"--data ", folder.quote("text.txt"), small, file(R"("AdamW")", R"("constant")"),
                                 "--tag tiny --checkpoint-dir ", folder.quote("run")}));
  REQUIRE(first.code == 0);
  auto const iterations = "checkpoint: saved with --iterations 4, now 6";
  // A constant rate does not depend on the number of steps, nor on --lr, which the file's schedule replaces.
  CHECK(goes_on(file(R"("AdamW")", R"("constant")")) == iterations + std::string("\n"));
  CHECK(goes_on(file(R"("AdamW", "params": {"lr": 0.5})", R"("constant")")) == iterations + std::string("\n"));
  CHECK(goes_on(file(R"("AdamW", "params": {"eps": 0.1, "betas": [0.5, 0.999]})", R"("constant")")) ==
        iterations + std::string(", optimizer.params.betas[0] 0.9, now 0.5, optimizer.params.eps 1e-08, now 0.1\n") +
            "checkpoint: so the run goes on with other bits, because of optimizer.params.betas[0], "
            "optimizer.params.eps\n");
  CHECK(goes_on(file(R"("AdamW")", R"("ConstantLR")")).find("because of scheduler.type\n") != std::string::npos);
  auto const by_options = goes_on(
      "--batch 4 --clip 1 --weight-decay 0 --beta2 0.999 --skipped-step hold --schedule constant --lr 0.01 --warmup 2");
  CHECK(by_options.find("because of scheduler.params.warmup_num_steps\n") != std::string::npos);
  CHECK(
      goes_on("--batch 4 --clip 1 --weight-decay 0 --beta2 0.999 --skipped-step hold --schedule constant --lr 0.01") ==
      iterations + std::string("\n"));
}

TEST_CASE("train_gpt2: a checkpoint has the number of its step, also where steps were skipped") {
  Folder const folder;
  auto const file = write(folder, R"({"train_batch_size": 2, "fp16": {"enabled": true, "initial_scale_power": 60}})");
  auto const data = joined({"--data ", folder.quote("text.txt"), small, file, "--save-interval 1 --checkpoint-dir ",
                            folder.quote("run"), " "});
  REQUIRE(run(data).code == 0);
  for (char const* const name : {"run/step-1", "run/step-2", "run/step-3", "run/step-4"}) {
    CAPTURE(name);
    CHECK(std::filesystem::exists(folder / name));
  }
  auto const more = run(data + "--resume auto --iterations 10");
  CHECK(more.output.find("resumed from ") != std::string::npos);
  CHECK(more.output.find("/step-4, 0 updates done") != std::string::npos);
  CHECK(std::filesystem::exists(folder / "run/step-10"));
}

TEST_CASE("train_gpt2: a checkpoint is evaluated with the types and batches of a file") {
  Folder const folder;
  auto const data = "--data " + folder.quote("text.txt");
  REQUIRE(run(data + small + "--batch 2 --checkpoint-dir " + folder.quote("run")).code == 0);
  auto const losses = [&](std::string const& arguments) {
    auto const done = run(joined({data, " --evaluate ", folder.quote("run"), " --eval-batches 3 ", arguments}));
    CAPTURE(done.output);
    CHECK(done.code == 0);
    auto const at = done.output.find("training   loss ");
    REQUIRE(at != std::string::npos);
    return done.output.substr(at, done.output.find("evaluated in") - at);
  };
  auto const file = write(folder, R"({"train_batch_size": 4, "train_micro_batch_size_per_gpu": 4,
    "bf16": {"enabled": true}, "csv_monitor": {"enabled": true, "output_path": ")" +
                                      (folder / "curves").string() + R"("}})");
  CHECK(losses(file) == losses("--batch 4 --precision bf16"));
  CHECK(losses(file) != losses("--batch 4"));
  CHECK_FALSE(std::filesystem::exists(folder / "curves"));
}

TEST_CASE("train_gpt2: a configuration that cannot be is refused in one line, before anything is written") {
  Folder const folder;
  auto const says = [&](std::string const& text, std::string const& more = {}) {
    auto const failed = run("--data " + folder.quote("text.txt") + small + write(folder, text) + more +
                            " --checkpoint-dir " + folder.quote("run"));
    CHECK(failed.code == 2);
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
    auto const at = failed.output.find("train_gpt2: ");
    REQUIRE(at != std::string::npos);
    return failed.output.substr(at);
  };
  CHECK(says("{\n \"train_batch_size\": 4,\n \"zero_optimisation\": {}}")
            .find("ds.json:3:2: zero_optimisation: is no key "
                  "of a configuration: did you mean "
                  "\"zero_optimization\"?") != std::string::npos);
  CHECK(says(R"({"train_batch_size": 5})", "--ranks 2").find("5 is no multiple of the step's 2 micro-batches") !=
        std::string::npos);
  CHECK(says(R"({"train_batch_size": 4})", "--batch 3").find("train_batch_size: 4 is no multiple of") !=
        std::string::npos);
  CHECK(says(R"({"train_batch_size": 4, "amp": {"enabled": true, "opt_level": "O1"}})").find("amp: cannot be had") !=
        std::string::npos);
  CHECK(says(R"({"train_batch_size": 4, "data_types": {"grad_accum_dtype": "bf16"}})").find("sums gradients in fp32") !=
        std::string::npos);
  CHECK(says(R"({"train_batch_size": 4, "scheduler": {"type": "OneCycle", "params": {"cycle_min_lr": 0,
    "cycle_max_lr": 1, "decay_step_size": 1, "cycle_first_step_size": 1, "decay_mom_rate": 9}}})")
            .find("ds.json: scheduler.params.decay_mom_rate: momentum of step 3 is 9") != std::string::npos);
  CHECK(says(R"({"train_batch_size": 4, "optimizer": {"type": "Adam", "params": {"lr": 1e300}}})")
            .find("1e+300 is not a number from 0 to 1e30") != std::string::npos);
  CHECK(says(R"({"train_batch_size": 4})", "--lr 1e300").find("--lr 1e300: expected a number from 0 to 1e30") !=
        std::string::npos);
  CHECK(says(R"({"train_batch_size": 4})", "--precision fp16 --loss-scale 1e-40")
            .find("expected 0, or a scale from 1e-30 to 1e38") != std::string::npos);
  CHECK(run("--deepspeed").output.find("--deepspeed: needs --config FILE") != std::string::npos);
  CHECK(run("--train_dir x").output.find("did you mean --data?") != std::string::npos);
  CHECK(run("--num_workers 2").output.find("did you mean --workers?") != std::string::npos);
}

TEST_CASE("train_gpt2: files as users write them train as they stand, or are refused for one reason") {
  Folder const folder;
  for (auto const& entry : std::filesystem::directory_iterator(CONFIGURATION_FILES)) {
    auto const name = entry.path().filename().string();
    CAPTURE(name);
    bool const refused = name.starts_with("refused_");
    std::string const ranks = name == "all_batch_sizes.json" ? "1" : "2";  // it names them all
    auto const done =
        run(joined({"--data ", folder.quote("text.txt"), small, "--config '", entry.path().string(), "' --ranks ",
                    ranks, " --job-name x --tensorboard ", folder.quote("curves"), " --overwrite"}));
    CAPTURE(done.output);
    CHECK(done.code == (refused ? 2 : 0));
    CHECK((done.output.find("parameter hash: ") != std::string::npos) != refused);
  }
}

}  // namespace trainer_configuration_test
