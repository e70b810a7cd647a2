// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The image trainer as its users meet it: a command line, an exit code, text on two streams, a log and files.

#include "images/pictures/folder.hpp"
#include "run_command.hpp"
#include "trainer/dry_run.hpp"
#include "trainer/log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace images_train_images_test {

using trainer_test::files_below;
using trainer_test::lines_with;

namespace {

namespace fs = std::filesystem;
using trainer_test::field;
using zero_test::Outcome;

constexpr std::array names{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

/// A folder with pictures in CIFAR's layout, of which each class has a pattern and noise.
class Folder : public pictures_test::Folder {
 public:
  explicit Folder(int per_file = 40) { write_pictures("cifar", 1, per_file); }

  void write_pictures(std::string const& name, unsigned seed, int per_file) const {
    auto const folder = *this / name;
    fs::create_directories(folder);
    std::ofstream text(folder / "batches.meta.txt");
    for (auto const* const of_class : names) text << of_class << "\n";
    std::mt19937 random(seed);
    for (std::string const part :
         {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"}) {
      std::ofstream file(folder / (part + ".bin"), std::ios::binary);
      for (int i = 0; i < per_file; ++i) {
        auto const c = random() % 10;
        file.put(static_cast<char>(c));
        for (unsigned p = 0; p < 3072; ++p) {
          auto const pattern = ((p / 8 + p / 256) * (c * 37 + 11) + c * 101) % 150;
          file.put(static_cast<char>(pattern + random() % 100));
        }
      }
    }
  }

  /// Runs the trainer there.
  [[nodiscard]] Outcome run(std::string const& arguments) const {
    return zero_test::run_command("cd '" + path() + "' && '" TRAIN_IMAGES "' " + arguments + " 2>&1 < /dev/null");
  }
  /// The same on the pictures, and it must go well.
  Outcome train(std::string const& arguments) const {
    auto outcome = run("--data cifar --threads 1 " + arguments);
    INFO(arguments << "\n" << outcome.output);
    REQUIRE(outcome.code == 0);
    return outcome;
  }
  [[nodiscard]] std::string hash_of(std::string const& arguments) const { return hash_in(train(arguments)); }
  static std::string hash_in(Outcome const& outcome) {
    std::string const key = "parameter hash: ";
    auto const at = outcome.output.find(key);
    REQUIRE(at != std::string::npos);
    return outcome.output.substr(at + key.size(), 16);
  }
  [[nodiscard]] std::string text_of(std::string const& name) const {
    std::ifstream file(*this / name);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  void check_refused(std::string const& arguments, std::string const& reason, int code) const {
    auto const outcome = run(arguments);
    CAPTURE(arguments);
    CAPTURE(outcome.output);
    CHECK(outcome.code == code);
    CHECK(outcome.output.find(reason) != std::string::npos);
    CHECK(outcome.output.find("step 1/") == std::string::npos);
    auto const last = outcome.output.rfind("train_images: ");
    REQUIRE(last != std::string::npos);
    CHECK(std::count(outcome.output.begin() + static_cast<std::ptrdiff_t>(last), outcome.output.end(), '\n') == 1);
  }
};

std::string const mlp = "--model mlp --hidden 16 --batch 4 ";
std::string const small_resnet = "--model resnet18 --small-stem --base-width 4 ";
std::string const resnet = small_resnet + "--batch 16 ";
std::string const mlp16 = "--model mlp --hidden 16 --batch 16 ";

/// The lines of \p output before the first step, but for what is saved by then.
std::string start_of(std::string const& output) {
  std::istringstream lines(output);
  std::string line, found;
  while (std::getline(lines, line) && line.find("step 1/") == std::string::npos) {
    if (line.find(": saved ") == std::string::npos) found += line + '\n';
  }
  return found;
}

/// A dry run of \p arguments, and then the run: the same lines, the same error, the same exit code. Returns what the
/// dry run has said.
std::string same_as_run(Folder const& folder, std::string const& arguments) {
  auto const before = files_below(folder / ".");
  auto const dry = folder.run("--threads 1 " + arguments + " --dry-run");
  CHECK(files_below(folder / ".") == before);
  auto const real = folder.run("--threads 1 " + arguments);
  CAPTURE(arguments);
  CAPTURE(dry.output);
  CAPTURE(real.output);
  CHECK(dry.code == real.code);
  for (auto const* const word : {"checkpoint: ", "data: ", "model: ", "run: ", "train_images: "}) {
    CHECK(lines_with(start_of(dry.output), word) == lines_with(start_of(real.output), word));
  }
  CHECK(dry.output.find("step 1/") == std::string::npos);
  return dry.output;
}

std::string without_times(std::string const& history) { return history.substr(0, history.find("\"epoch_times\"")); }

}  // namespace

TEST_CASE("train_images: bits depend on the number of micro-batches, not on ranks, stage, workers or offload") {
  Folder const folder;
  auto const expected = folder.hash_of(mlp + "--epochs 2 --accumulate 4 --workers 0");
  for (std::string const other :
       {"--ranks 2 --accumulate 2 --workers 1", "--ranks 4 --workers 4", "--ranks 3 --micro-batches 4 --prefetch 5",
        "--ranks 2 --accumulate 2 --stage 0 --reduce each_micro_batch", "--ranks 2 --accumulate 2 --stage 3",
        "--ranks 2 --accumulate 2 --offload cpu", "--ranks 5 --micro-batches 4 --allow-idle-ranks"}) {
    CAPTURE(other);
    CHECK(folder.hash_of(std::string(mlp).append("--epochs 2 ").append(other)) == expected);
  }
  CHECK(folder.hash_of(mlp + "--epochs 2 --accumulate 4 --seed 2") != expected);
  CHECK(folder.hash_of(mlp + "--epochs 2 --accumulate 4 --augment none") != expected);
  auto const of_resnet = folder.hash_of(small_resnet + "--epochs 1 --batch 8 --accumulate 2");
  CHECK(folder.hash_of(small_resnet + "--epochs 1 --batch 8 --ranks 2") == of_resnet);
  CHECK(folder.hash_of(small_resnet + "--epochs 1 --batch 8 --ranks 2 --stage 3") == of_resnet);
}

TEST_CASE("train_images: a run that is resumed in the middle of an epoch ends as one that was not stopped") {
  Folder const folder;  // 200 pictures, so that a step of 16 goes on into the next epoch
  auto const whole = folder.train(resnet + "--epochs 3 --checkpoint-dir whole --history whole.json --log whole.jsonl");
  auto const rest = folder.train(resnet +
                                 "--epochs 3 --checkpoint-dir rest --resume whole/epoch-1 --history rest.json "
                                 "--log rest.jsonl --ranks 1 --workers 3");
  CHECK(rest.output.find("resumed from") != std::string::npos);
  CHECK(Folder::hash_in(rest) == Folder::hash_in(whole));
  CHECK(without_times(folder.text_of("rest.json")) == without_times(folder.text_of("whole.json")));
  CHECK(folder.text_of("whole.json").find("\"epoch\": [1, 2, 3]") != std::string::npos);
  auto const a = trainer_test::log_of(folder / "whole.jsonl"), b = trainer_test::log_of(folder / "rest.jsonl");
  REQUIRE(a.size() == 38);
  REQUIRE(b.size() == 25);
  for (std::string const member : {"loss", "val_loss", "accuracy", "lr", "epoch", "samples"}) {
    CHECK(field(a.back(), member) == field(b.back(), member));
  }
  CHECK(fs::exists(folder / "whole/epoch-3"));
  CHECK(whole.output.find("latest is epoch-3") != std::string::npos);
}

TEST_CASE("train_images: a signal stops a run with a checkpoint, which the next one goes on from") {
  Folder const folder;
  auto const stopped = zero_test::run_command("cd '" + (folder / ".").string() +
                                              "' && { '" TRAIN_IMAGES "' --data cifar --threads 1 " + mlp +
                                              "--epochs 100000 --schedule constant --warmup 40 --checkpoint-dir saved "
                                              "--save best --log log --history h.json > out 2>&1 & pid=$!; "
                                              "until grep -q '\"step\": 20,' log 2> /dev/null; do sleep 0.05; done; "
                                              "kill -TERM $pid; wait $pid; echo code $?; }");
  CAPTURE(folder.text_of("out"));
  CHECK(stopped.output.find("code 3\n") != std::string::npos);
  CHECK(folder.text_of("out").find("--resume auto goes on from here") != std::string::npos);
  auto const steps = trainer_test::log_of(folder / "log").size();
  auto const next = std::to_string((steps * 4) / 200 + 1);
  auto const on =
      folder.train(mlp + "--epochs " + next +
                   " --schedule constant --warmup 40 --checkpoint-dir saved --save best --resume auto --log log");
  CHECK(on.output.find(std::to_string(steps) + " updates done") != std::string::npos);
  CHECK(Folder::hash_in(on) == folder.hash_of(mlp + "--schedule constant --warmup 40 --epochs " + next));
}

TEST_CASE("train_images: names of options that guides use are the same options") {
  Folder const folder;
  auto const expected = folder.hash_of(mlp + "--epochs 1 --workers 1");
  auto const guided = folder.run(
      "--train_dir cifar --val_dir cifar --batch_size 4 --num_workers 1 --threads 1 --model mlp --hidden 16 --epochs "
      "1");
  CAPTURE(guided.output);
  REQUIRE(guided.code == 0);
  CHECK(Folder::hash_in(guided) == expected);
}

TEST_CASE("train_images: what a checkpoint evaluates to is what its run has said") {
  Folder const folder;
  auto const run = folder.train(resnet + "--epochs 2 --checkpoint-dir saved");
  auto const line = [](Outcome const& outcome) {
    auto const at = outcome.output.find("\nvalidation loss ") + 1;
    return outcome.output.substr(at, outcome.output.find("\nsummary") - at);
  };
  for (std::string const where : {"saved", "saved/final --ranks 2 --stage 3"}) {
    auto const evaluated = folder.train("--evaluate " + where + " --batch 16");
    CAPTURE(where);
    CAPTURE(evaluated.output);
    CHECK(line(run).find(line(evaluated).substr(0, 60)) == 0);
    CHECK(evaluated.output.find("resnet18 with a small stem") != std::string::npos);
  }
  CHECK(line(run).find("  class       pictures  accuracy   taken for") != std::string::npos);
}

TEST_CASE("train_images: every picture to validate on counts once, on any number of ranks") {
  Folder const folder(13);
  auto const one = folder.train(mlp + "--epochs 1 --checkpoint-dir saved");
  CHECK(one.output.find("over 13 pictures") != std::string::npos);
  auto const evaluate = [&](std::string const& how) {
    auto const outcome = folder.train("--evaluate saved " + how);
    auto const at = outcome.output.find("validation loss ");
    REQUIRE(at != std::string::npos);
    return outcome.output.substr(at);
  };
  auto const expected = evaluate("--batch 5");
  CHECK(expected.find("over 13 pictures") != std::string::npos);
  for (std::string const how : {"--batch 5 --ranks 2", "--batch 5 --ranks 4 --workers 0"})
    CHECK(evaluate(how) == expected);
}

TEST_CASE("train_images: weights go out and in, and a head of other classes is drawn") {
  Folder const folder;
  (void)folder.train(resnet + "--epochs 1 --save-model weights.safetensors");
  folder.check_refused("--data cifar " + resnet + "--epochs 1 --save-model weights.safetensors", "is there already", 2);
  auto const on = folder.train(resnet +
                               "--epochs 1 --lr 0 --weight-decay 0 --init-from weights.safetensors --save-model "
                               "same.safetensors");
  CHECK(on.output.find("drawn") == std::string::npos);
  auto const first = folder.text_of("weights.safetensors"), second = folder.text_of("same.safetensors");
  CHECK(first.size() == second.size());
  CHECK(first.find("layer4.1.bn2.running_var") != std::string::npos);
  auto const other = folder.train(resnet + "--epochs 1 --init-from weights.safetensors --classes 12");
  CHECK(
      other.output.find("the head of weights.safetensors is for other classes than the 12 here: fc.weight and fc.bias "
                        "are drawn anew") != std::string::npos);
  folder.check_refused("--data cifar --init-from weights.safetensors " + mlp, "lacks fc1.weight", 4);
  folder.check_refused("--data cifar --init-from cifar " + resnet,
                       "--init-from cifar: is no file: name a safetensors file with torchvision's names", 4);
  folder.check_refused("--data cifar --init-from nowhere " + resnet, "--init-from nowhere: is not there", 4);
  auto spoiled = first;
  constexpr std::string_view nan("\0\0\xC0\x7F", 4);
  spoiled.replace(spoiled.size() - 4, 4, nan);
  std::ofstream(folder / "nan.safetensors", std::ios::binary) << spoiled;
  folder.check_refused("--data cifar --init-from nan.safetensors " + resnet,
                       "has values that are not finite: give weights of a run that has not diverged", 4);

  // A run that is resumed has its own.
  std::string const constant = resnet + "--schedule constant --warmup 0 ";
  std::string const goes_on = constant + "--checkpoint-dir saved --resume auto --init-from ";
  folder.check_refused("--data cifar --epochs 1 " + goes_on + "nowhere", "--init-from nowhere: is not there", 4);
  auto const begun = folder.train(goes_on + "weights.safetensors --epochs 1");
  CHECK(begun.output.find("is not read") == std::string::npos);
  auto const resumed = folder.train(goes_on + "nowhere --epochs 2");
  CHECK(resumed.output.find("model: nowhere is not read, as the run is resumed") != std::string::npos);
  CHECK(Folder::hash_in(resumed) == folder.hash_of(constant + "--init-from weights.safetensors --epochs 2"));
  auto const by_path = folder.train(constant + "--resume saved --init-from nowhere --epochs 2");
  CHECK(by_path.output.find("model: nowhere is not read, as the run is resumed") != std::string::npos);
  folder.check_refused("--data cifar --init-from weights.safetensors --model resnet18",
                       "conv1.weight is [4,3,3,3] there", 4);
}

TEST_CASE("train_images: other types and rules train, too") {
  Folder const folder;
  // In fp16, in which some processors compute slowly, a fully connected model; with ZERO_TEST_FULL a ResNet, too.
  std::vector<std::string> runs{resnet + "--precision bf16 --schedule wsd --patience 3", mlp16 + "--precision fp16",
                                mlp16 + "--precision fp16 --loss-scale 128",
                                resnet + "--optimizer sgd --momentum 0.9 --lr 0.02 --clip 1"};
  if (std::getenv("ZERO_TEST_FULL") != nullptr) {
    runs.push_back(resnet + "--precision fp16");
    runs.push_back(resnet + "--precision fp16 --loss-scale 128");
  }
  for (auto const& how : runs) {
    auto const outcome = folder.train(how + " --epochs 3 --log log");
    auto const lines = trainer_test::log_of(folder / "log");
    CAPTURE(how);
    REQUIRE(lines.size() == 38);
    CHECK(std::stod(field(lines.back(), "loss")) < std::stod(field(lines.front(), "loss")));
  }
}

TEST_CASE("train_images: a configuration of DeepSpeed says what it does elsewhere, and what is left out is told") {
  Folder const folder;
  std::ofstream(folder / "ds.json") << R"({"train_batch_size": 16, "gradient_accumulation_steps": 2,
    "optimizer": {"type": "AdamW", "params": {"lr": 0.002, "weight_decay": 0.0001}},
    "scheduler": {"type": "WarmupDecayLR", "params": {"total_num_steps": "auto", "warmup_max_lr": 0.002, "warmup_num_steps": 3}},
    "zero_optimization": {"stage": 2}, "wall_clock_breakdown": true, "gradient_clipping": 1.0})";
  auto const outcome =
      folder.train("--deepspeed --deepspeed_config ds.json --model mlp --epochs 2 --ranks 2 --log log");
  CHECK(outcome.output.find("G = 4 micro-batches of all ranks, 16 pictures; 25 steps in 2 epochs") !=
        std::string::npos);
  CHECK(outcome.output.find("wall_clock_breakdown: this program has nothing like it: left out") != std::string::npos);
  auto const lines = trainer_test::log_of(folder / "log");
  CHECK(std::stod(field(lines[3], "lr")) == doctest::Approx(0.002));
  CHECK(std::stod(field(lines.back(), "lr")) < 0.0002);
  std::ofstream(folder / "lion.json")
      << R"({"train_batch_size": 16, "optimizer": {"type": "Lion", "params": {"lr": 0.001}}})";
  folder.check_refused("--data cifar --config lion.json --model mlp", "Lion", 2);
}

TEST_CASE("train_images: early stopping, curves and the best checkpoint are as in the text trainer") {
  Folder const folder;
  auto const outcome =
      folder.train(mlp +
                   "--epochs 40 --lr 0 --weight-decay 0 --patience 2 --checkpoint-dir saved --save best "
                   "--csv runs --json-lines runs --job-name a");
  CHECK(outcome.output.find("run: stops early after epoch 3: no improvement in 2 validations") != std::string::npos);
  CHECK(outcome.output.find("best is epoch-1") != std::string::npos);
  auto const events = folder.text_of("runs/a/metrics.jsonl");
  for (std::string const tag : {"Train/Samples/train_loss", "Train/Samples/accuracy", "Train/Samples/images_per_second",
                                "Evaluation/Samples/val_accuracy", "Evaluation/Samples/val_accuracy_top5"}) {
    CAPTURE(tag);
    CHECK(events.find("\"" + tag + "\"") != std::string::npos);
  }
  CHECK(events.find("perplexity") == std::string::npos);
  CHECK(events.find("tokens") == std::string::npos);
}

TEST_CASE("train_images: a run that learns tells of it, and one that diverges ends with its own code") {
  Folder const folder;
  auto const outcome = folder.train("--model mlp --batch 16 --epochs 4");
  std::smatch found;
  REQUIRE(std::regex_search(outcome.output, found, std::regex("validation loss [^ ]+, accuracy ([0-9.]+) %")));
  CHECK(std::stod(found[1]) > 60.0);  // guessing has 10
  auto const diverged =
      folder.run("--data cifar --threads 1 --max-skips 3 --optimizer sgd --lr 1e30 --warmup 0 --epochs 9 " + mlp);
  CAPTURE(diverged.output);
  CHECK(diverged.code == 6);
}

TEST_CASE("train_images: what cannot be run is refused in one line, before the first step") {
  Folder const folder;
  folder.check_refused("", "--data: is needed", 2);
  folder.check_refused("--data nowhere", "nowhere: is ", 4);
  for (auto const& [word, option] :
       {std::pair("--num_epochs 3", "--epochs"), std::pair("--data_dir cifar", "--data"),
        std::pair("--data-dir cifar", "--data"), std::pair("--train-dir cifar", "--data"),
        std::pair("--val-dir cifar", "--val-data"), std::pair("--batch-size 4", "--batch"),
        std::pair("--batchsize 4", "--batch"), std::pair("--num-workers 1", "--workers"),
        std::pair("--resume_from saved", "--resume"), std::pair("--deepspeed-config ds.json", "--config"),
        std::pair("--num_classes 10", "--classes"), std::pair("--img_size 32", "--image-size"),
        std::pair("--val_split 0.1", "--val-share")}) {
    folder.check_refused(std::string("--data cifar ") + word, std::string("did you mean ") + option + "?", 2);
  }
  folder.check_refused("--data cifar --deepspeed", "--deepspeed: needs --config FILE", 2);
  folder.check_refused("--data cifar --model vgg16", "expected resnet18, resnet34, resnet50 or mlp", 2);
  folder.check_refused("--data cifar --classes 3", "--classes 3: the data have 10", 2);
  folder.check_refused("--data cifar --warmup 1000 --epochs 1", "--warmup 1000: the run has 4 steps", 2);
  folder.check_refused("--data cifar --model mlp --small-stem", "--small-stem", 2);
  folder.check_refused("--data cifar --hidden 3", "--hidden: needs --model mlp", 2);
  folder.check_refused("--data cifar --evaluate nowhere", "nowhere", 4);
  folder.check_refused("--data cifar --history nowhere/h.json", "--history nowhere/h.json: cannot be written", 2);

  (void)folder.train(mlp + "--epochs 1 --checkpoint-dir saved");
  folder.check_refused("--data cifar --epochs 2 --checkpoint-dir saved " + mlp, "of another run", 2);
  folder.check_refused("--data cifar --epochs 2 --checkpoint-dir saved --resume auto " + resnet,
                       "--resume: the checkpoint holds mlp, and this run has resnet18: give --model mlp", 2);
  folder.check_refused("--data cifar --epochs 2 --checkpoint-dir saved --resume auto --model mlp --hidden 17",
                       "holds a hidden layer of 16, and this run has one of 17: give --hidden 16", 2);
  folder.check_refused("--data cifar --epochs 2 --checkpoint-dir saved --resume auto --classes 11 " + mlp,
                       "holds a model of 10 classes, and this run has one of 11: give --classes 10", 2);
  folder.write_pictures("other", 2, 40);
  folder.check_refused("--data other --epochs 2 --checkpoint-dir saved --resume auto " + mlp,
                       "has other pictures than the run of epoch-1", 4);
  std::ofstream(folder / "other/batches.meta.txt") << "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
  folder.check_refused("--data cifar --val-data other", "class 0 is 'a' here, and 'airplane' there", 4);
  folder.check_refused("--data other --epochs 2 --checkpoint-dir saved --resume auto " + mlp, "class 0 is 'a' here", 4);
  std::ofstream(folder / "other/batches.meta.txt") << "a\n";
  folder.check_refused("--data other", "has the class", 4);
  fs::resize_file(folder / "cifar/test_batch.bin", 5000);
  folder.check_refused("--data cifar", "test_batch.bin: has 5000 bytes", 4);
  fs::resize_file(folder / "cifar/test_batch.bin", 0);
  folder.check_refused("--data cifar", "test_batch.bin: has 0 bytes", 4);
  fs::resize_file(folder / "cifar/data_batch_3.bin", std::uintmax_t{39} * 3073);
  folder.check_refused("--data cifar", "data_batch_3.bin: has 39 pictures, and the file before it 40", 4);
  fs::remove(folder / "cifar/data_batch_3.bin");
  fs::create_directory(folder / "cifar/data_batch_3.bin");
  folder.check_refused("--data cifar", "data_batch_3.bin: cannot be read", 4);
  fs::remove(folder / "cifar/data_batch_3.bin");
  folder.check_refused("--data cifar", "data_batch_3.bin: cannot be read", 4);
  fs::remove(folder / "cifar/batches.meta.txt");
  REQUIRE(::mkfifo((folder / "cifar/batches.meta.txt").c_str(), 0600) == 0);
  folder.check_refused("--data cifar", "batches.meta.txt: is no file", 4);
}

TEST_CASE("train_images: a dry run finds what the run finds before its first step, and writes nothing") {
  Folder const folder;
  folder.write_pictures("other", 2, 40);
  (void)folder.train(mlp + "--epochs 2 --checkpoint-dir saved --save-model mlp.safetensors");
  std::ofstream(folder / "lion.json")
      << R"({"train_batch_size": 4, "optimizer": {"type": "Lion", "params": {"lr": 0.001}}})";
  std::string const data = "--data cifar --epochs 3 ", resume = "--resume saved/final ";
  std::pair<std::string, std::string> const refused[]{
      {data + resnet + "--init-from mlp.safetensors", "lacks conv1.weight"},
      {data + "--model mlp --hidden 8 --init-from mlp.safetensors", "fc1.weight is [16,3072] there, and [8,3072] here"},
      {data + mlp + "--checkpoint-dir saved", "saved: holds epoch-2 of another run"},
      {data + mlp + "--save-model mlp.safetensors", "is there already"},
      {data + resnet + resume, "the checkpoint holds mlp"},
      {data + "--model mlp --hidden 16 --batch 8 " + resume, "has taken 4 pictures a step, and this one would take 8"},
      {data + mlp + resume + "--optimizer sgd", "trained with AdamW, this engine trains with SGD"},
      {data + mlp + resume + "--precision fp16", "loss was scaled by"},
      {"--data other --epochs 3 " + mlp + resume, "has other pictures than the run of epoch-2"},
      {data + "--model mlp --config lion.json", "Lion"}};
  for (auto const& refusal : refused) {
    auto const& arguments = refusal.first;
    auto const& why = refusal.second;
    CAPTURE(arguments);
    CHECK(lines_with(same_as_run(folder, arguments), "train_images: ").find(why) != std::string::npos);
  }
  // What is no error, but is said.
  CHECK(same_as_run(folder, data + mlp + resume + "--lr 1e-2 --ranks 1 --stage 3").find("--lr 0.001, now 0.01") !=
        std::string::npos);
  CHECK(same_as_run(folder, data + mlp + "--init-from mlp.safetensors --classes 12")
            .find("fc2.weight and fc2.bias are drawn anew") != std::string::npos);
  CHECK(same_as_run(folder, "--data cifar --epochs 2 " + mlp + resume)
            .find("run: nothing to train: 2 of 2 epochs are done; --epochs says how many in all") != std::string::npos);
  CHECK(same_as_run(folder, data + "--model mlp --batch 1000").find("step: G = 1 micro-batch") != std::string::npos);

  // A checkpoint that is damaged, and the one before it.
  for (auto const& entry : fs::directory_iterator(folder / "saved/epoch-2")) {
    if (entry.path().filename().string().rfind("exp_avg-", 0) == 0) fs::resize_file(entry, entry.file_size() - 4);
  }
  CHECK_FALSE(lines_with(same_as_run(folder, data + mlp + resume), "train_images: ").empty());
  auto const dry = folder.train(mlp + "--epochs 3 --checkpoint-dir saved --resume auto --dry-run").output;
  CHECK(dry.find("checkpoint: passed over epoch-2: ") != std::string::npos);
  CHECK(dry.find("checkpoint: would be resumed from saved/epoch-1, 50 updates done") != std::string::npos);

  auto const before = files_below(folder / ".");
  auto const all = folder.train(mlp +
                                "--epochs 1 --ranks 2 --stage 3 --offload cpu --checkpoint-dir new --log log "
                                "--history h.json --csv curves --save-model new.safetensors --dry-run");
  CHECK(all.output.find("dry run: nothing was trained, and nothing was written\n") != std::string::npos);
  CHECK(files_below(folder / ".") == before);
}

TEST_CASE("train_images: synthetic pictures need no folder, and are what is asked for") {
  Folder const folder;
  auto const run = [&](std::string const& arguments) {
    return folder.run(mlp + "--threads 1 --epochs 2 " + arguments);
  };
  auto const one = run("--data synthetic:40 --image-size 8 --log one.jsonl");
  INFO(one.output);
  REQUIRE(one.code == 0);
  CHECK(one.output.find("over 4 pictures") != std::string::npos);  // a tenth
  auto const other = run("--data synthetic:40 --image-size 8 --workers 0");
  CHECK(Folder::hash_in(one) == Folder::hash_in(other));
  auto const small = run("--data synthetic:40 --image-size 9 --classes 3");
  CHECK(small.code == 0);
  CHECK(Folder::hash_in(one) != Folder::hash_in(small));

  folder.check_refused("--data synthetic:0", "synthetic:0: write synthetic:N", 4);
  folder.check_refused("--data synthetic:4x", "synthetic:4x: write synthetic:N", 4);
  folder.check_refused("--data synthetics", "synthetics: ", 4);  // a folder that is not there
  folder.check_refused("--data synthetic:8 --cache 1MB", "--cache: is of pictures, and not of synthetic ones", 2);
  folder.check_refused("--data synthetic:8 --augment crop", "--augment: is of pictures", 2);
  folder.check_refused("--data synthetic:8 --val-data cifar", "has other classes", 4);
}

TEST_CASE("train_images: --device cuda says in one line what is missing, and takes no ranks that are threads") {
  Folder const folder;
  CHECK(folder.hash_of(mlp + "--epochs 1 --device cpu") == folder.hash_of(mlp + "--epochs 1"));
  folder.check_refused(
      "--data cifar --device cuda --ranks 2",
      "--ranks 2: on GPUs each rank is a process, because autograd runs the hooks of a device on one "
      "thread, in which ranks that are threads would wait for each other for ever: torchrun --no-python "
      "--nproc-per-node 2 train_images --device cuda ... starts them",
      2);
  auto const launched = [&](std::string const& variables, std::string const& arguments) {
    return zero_test::run_command("cd '" + (folder / ".").string() + "' && " + variables +
                                  " '" TRAIN_IMAGES "' --data cifar " + arguments + " 2>&1 < /dev/null");
  };
  std::string const second = "RANK=1 WORLD_SIZE=2 LOCAL_RANK=1 MASTER_ADDR=localhost MASTER_PORT=29500";
  auto const three_of_two = launched(second, "--device cuda --ranks 3");
  CAPTURE(three_of_two.output);
  CHECK(three_of_two.code == 2);
  CHECK(three_of_two.output.find("--ranks 3: torchrun has started 2 processes, and each is one rank: leave it out\n") !=
        std::string::npos);
  auto const on_cpu = launched(second, "--device cpu");
  CAPTURE(on_cpu.output);
  CHECK(on_cpu.code == 2);
  CHECK(on_cpu.output.find("torchrun has started 2 processes, and each would train a model of its own") !=
        std::string::npos);
#if TRAIN_IMAGES_HAS_CUDA
  // No GPU is visible here, on any machine.
  auto const without_gpu = launched("CUDA_VISIBLE_DEVICES=", "--device cuda");
  CAPTURE(without_gpu.output);
  CHECK(without_gpu.code == 1);
  CHECK(without_gpu.output.rfind("train_images: zero: cudaGetDeviceCount failed", 0) == 0);
  CHECK(std::count(without_gpu.output.begin(), without_gpu.output.end(), '\n') == 1);
#else
  folder.check_refused("--data cifar --device cuda", "--device cuda: this program was built with", 2);
  folder.check_refused("--data cifar --device cuda", "-DZERO_BUILD_CUDA=ON and LIBTORCH_ROOT set to that torch", 2);
#endif
}

TEST_CASE("train_images: a run says where each rank's memory went, and what nobody counts is not there") {
  Folder const folder;
  auto const bytes = [](Outcome const& outcome, std::string const& row) {
    std::smatch found;
    INFO(outcome.output);
    REQUIRE(std::regex_search(outcome.output, found, std::regex("\n +" + row + " +([0-9,]+)\n")));
    auto digits = found[1].str();
    digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
    return std::stoull(digits);
  };
  auto const whole = folder.train(mlp + "--epochs 1 --stage 1 --csv curves --job-name run");
  auto const split = folder.train(mlp + "--epochs 1 --stage 1 --ranks 2");
  std::size_t const parameters = 3072 * 16 + 16 + 16 * 10 + 10;
  CHECK(bytes(whole, "0  device    parameters") >= parameters * 4);
  CHECK(bytes(whole, "0  device    states") == 2 * bytes(whole, "0  device    parameters"));
  CHECK(bytes(split, "0  device    parameters") == bytes(whole, "0  device    parameters"));
  for (std::string const rank : {"0", "1"}) {
    CHECK(bytes(split, rank + "  device    states") == bytes(split, "0  device    parameters"));
    CHECK(bytes(split, rank + "            in all") < bytes(whole, "0            in all"));
  }
  CHECK(whole.output.find("bytes of a rank's engine at most; a process has had ") != std::string::npos);
  CHECK(whole.output.find("activations") == std::string::npos);
  CHECK(whole.output.find("torch's peak") == std::string::npos);
  std::vector<std::string> curves;
  for (auto const& entry : fs::directory_iterator(folder / "curves/run")) {
    auto const name = entry.path().filename().string();
    if (name.rfind("Memory", 0) == 0) curves.push_back(name);
  }
  std::sort(curves.begin(), curves.end());
  CHECK(curves == std::vector<std::string>{"Memory_Samples_device.csv", "Memory_Samples_pageable.csv",
                                           "Memory_Samples_pinned.csv"});
}

}  // namespace images_train_images_test
