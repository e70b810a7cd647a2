// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "trainer/dry_run.hpp"
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <utility>

namespace trainer_dry_run_test {

using namespace trainer_test;

namespace {

/// A dry run of \p arguments, and then the run: the same lines on checkpoint and parameters, the same error, the same
/// exit code. Returns what the dry run has said.
std::string same_as_run(Folder const& folder, std::string const& arguments) {
  auto const before = files_below(folder / ".");
  auto const dry = run(arguments + " --dry-run");
  CHECK(files_below(folder / ".") == before);
  auto const real = run(arguments);
  CAPTURE(arguments);
  CAPTURE(dry.output);
  CAPTURE(real.output);
  CHECK(dry.code == real.code);
  for (auto const* const word : {"checkpoint: ", "parameters: ", "run: ", "train_gpt2: "}) {
    CHECK(lines_with(dry.output, word) == lines_with(real.output, word));
  }
  return dry.output;
}

void flip_byte(fs::path const& path, std::size_t from_end) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(-static_cast<std::streamoff>(from_end), std::ios::end);
  auto const byte = static_cast<char>(file.get() ^ 1);
  file.seekp(-static_cast<std::streamoff>(from_end), std::ios::end);
  file.put(byte);
}

}  // namespace

TEST_CASE("train_gpt2: a dry run finds of a checkpoint what the run finds, by each way in which it can be wrong") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  REQUIRE(run(data + "--ranks 2 --stage 2 --checkpoint-dir " + folder.quote("run")).code == 0);
  auto const parameters = "bad/step-4/parameters-00001-of-00002.safetensors";
  std::pair<std::string, std::function<void()>> const faults[]{
      {"instead of", [&] { fs::resize_file(folder / parameters, fs::file_size(folder / parameters) - 4); }},
      {"parameters-00001-of-00002", [&] { fs::remove(folder / parameters); }},
      {"exp_avg-00000-of-00002", [&] { fs::remove(folder / "bad/step-4/exp_avg-00000-of-00002.safetensors"); }},
      {"exp_avg_sq-00001-of-00002",
       [&] { flip_byte(folder / "bad/step-4/exp_avg_sq-00001-of-00002.safetensors", 40); }},
      {"invalid manifest", [&] { fs::resize_file(folder / "bad/step-4/manifest.json", 900); }}};
  for (auto const& [part, spoil] : faults) {
    fs::remove_all(folder / "bad");
    fs::copy(folder / "run", folder / "bad", fs::copy_options::recursive);
    spoil();
    auto const text = same_as_run(folder, data + "--iterations 6 --resume " + folder.quote("bad/step-4"));
    CHECK(lines_with(text, "train_gpt2: ").find(part) != std::string::npos);
    // Where none is named, the one before it does.
    auto const first = run(data + "--iterations 6 --dry-run --resume auto --checkpoint-dir " + folder.quote("bad"));
    CAPTURE(first.output);
    CHECK(first.code == 0);
    CHECK(first.output.find("checkpoint: passed over step-4: ") != std::string::npos);
    CHECK(first.output.find("would be resumed from " + (folder / "bad").string() + "/step-2, 2 updates") !=
          std::string::npos);
  }
}

TEST_CASE("train_gpt2: a dry run finds that the options do not go with a checkpoint, as the run does") {
  Folder const folder;
  std::ofstream(folder / "other.txt") << std::string(4000, 'x') +
                                             "the quick brown fox jumps over the lazy dog 0123456789";
  std::string const data = "--data " + folder.quote("text.txt") + tiny + " --iterations 6 ";
  REQUIRE(run("--data " + folder.quote("text.txt") + tiny + "--ranks 2 --checkpoint-dir " + folder.quote("run")).code ==
          0);
  std::string const resume = "--resume " + folder.quote("run/final") + " ";
  std::pair<std::string, std::string> const wrong[]{
      {"--optimizer lion", "trained with AdamW, this engine trains with Lion"},
      {"--precision fp16", "loss was scaled by"},
      {"--width 32", "--width 32"},
      {"--new-schedule --warmup 3", "--warmup 3: the schedule that begins at step 4 has 2 steps"}};
  for (auto const& [options, why] : wrong) {
    auto const text = same_as_run(folder, joined({data, resume, options}));
    CHECK(lines_with(text, "train_gpt2: ").find(why) != std::string::npos);
  }
  auto const other = same_as_run(folder, "--data " + folder.quote("other.txt") + tiny + resume);
  CHECK(lines_with(other, "train_gpt2: ").find("other.txt: ") != std::string::npos);
  // What is no error, but is said.
  auto const changed = same_as_run(folder, data + resume + "--ranks 4 --lr 1e-2 --seed 5 --stage 3 --threads 1");
  for (auto const* const part :
       {"--lr 0.001, now 0.01", "goes on with other bits", "keeps its seed, 1337", "would be resumed from"}) {
    CHECK(changed.find(part) != std::string::npos);
  }
  for (std::string const how : {"--parameters-only", "--new-optimizer", "--parameters-only --optimizer lion"}) {
    CHECK(same_as_run(folder, joined({data, resume, how})).find("4 updates done") != std::string::npos);
  }
  CHECK(same_as_run(folder, data + resume + "--iterations 4").find("run: nothing to train: 4 of 4") !=
        std::string::npos);
  // A run whose bits depend on the number of micro-batches, by whatever ranks.
  REQUIRE(run(data + "--ranks 2 --micro-batches 3 --checkpoint-dir " + folder.quote("three")).code == 0);
  std::string const three = "--iterations 8 --resume " + folder.quote("three/final") + " ";
  CHECK(same_as_run(folder, data + three + "--accumulate 3").find("has 3 micro-batches per step") != std::string::npos);
  CHECK(same_as_run(folder, data + three + "--ranks 2").find("would be resumed from") != std::string::npos);
  CHECK(same_as_run(folder, data + three + "--micro-batches 2")
            .find("other bits, because of --iterations, --micro-batches") != std::string::npos);
}

TEST_CASE("train_gpt2: a dry run reads the parameters of --init-from, as the run does") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  REQUIRE(run(data + "--save-hf " + folder.quote("model") + " --max-shard-size 8KB").code == 0);
  std::string const from = data + "--init-from " + folder.quote("model") + " ";
  CHECK(same_as_run(folder, from).find("parameters: 28 from ") != std::string::npos);
  CHECK(same_as_run(folder, from + "--context 4").find("of its 8 positions the first 4") != std::string::npos);
  fs::path shard;
  for (auto const& entry : fs::directory_iterator(folder / "model")) {
    if (entry.path().extension() == ".safetensors") shard = entry.path();
  }
  fs::resize_file(shard, fs::file_size(shard) - 8);
  CHECK_FALSE(lines_with(same_as_run(folder, from), "train_gpt2: ").empty());
  fs::remove(shard);
  CHECK_FALSE(lines_with(same_as_run(folder, from), "train_gpt2: ").empty());
}

TEST_CASE("train_gpt2: a dry run looks whether its folders could be made, and makes none") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny + "--dry-run ";
  for (std::string const option : {"--checkpoint-dir ", "--save-hf ", "--save-hf-best "}) {
    CHECK(run(data + option + folder.quote("a/b/c")).code == 0);
    CHECK_FALSE(fs::exists(folder / "a"));
    for (std::string const place : {"text.txt", "text.txt/below"}) {
      auto const refused = run(data + option + folder.quote(place.c_str()));
      CAPTURE(refused.output);
      CHECK(refused.code == 2);
      CHECK(lines_with(refused.output, "train_gpt2: ").find("text.txt is no folder") != std::string::npos);
    }
  }
  REQUIRE(run("--data " + folder.quote("text.txt") + tiny + "--save-hf " + folder.quote("model")).code == 0);
  auto const taken = run(data + "--save-hf " + folder.quote("model"));
  CHECK(taken.code == 2);
  CHECK(lines_with(taken.output, "train_gpt2: ").find("already: use --overwrite") != std::string::npos);
  CHECK(run(data + "--overwrite --save-hf " + folder.quote("model")).code == 0);
}

TEST_CASE("train_gpt2: a dry run finds that another run has its folder of checkpoints, and takes nothing from it") {
  Folder const folder;
  std::string const data =
      "--data " + folder.quote("text.txt") + tiny + "--checkpoint-dir " + folder.quote("run") + " ";
  std::string const endless = "--iterations 1000000 --eval-interval 1000000 --resume auto ";
  std::string const trainer = "'" TRAIN_GPT2 "' ";
  auto const held = zero_test::run_command(joined(
      {"cd ", folder.quote("."), "; ", trainer, last_of_each(data + endless + "--log log"),
       " >output 2>&1 & run=$!; while kill -0 $run && ! [ -s log ]; do sleep 0.05; done; ", "ls -A run >before; ",
       trainer, last_of_each(data + endless + "--dry-run"),
       " 2>&1 </dev/null; echo code $?; ls -A run | cmp before - && ", "kill -TERM $run; wait $run; echo run $?"}));
  CAPTURE(held.output);
  CHECK(lines_with(held.output, "train_gpt2: ").find("belongs to process ") != std::string::npos);
  CHECK(held.output.find("which saves checkpoints there: let it end, end it, or use another folder") !=
        std::string::npos);
  CHECK(held.output.find("\ncode 2\n") != std::string::npos);
  CHECK(held.output.find("\nrun 3\n") != std::string::npos);
  // It was given back at the run's end.
  CHECK(run(data + endless + "--dry-run").output.find("would be resumed from") != std::string::npos);
}

}  // namespace trainer_dry_run_test
