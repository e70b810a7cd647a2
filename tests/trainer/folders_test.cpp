// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "trainer/program.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <utility>

namespace trainer_folders_test {

using namespace trainer_test;

namespace {

bool says(Outcome const& outcome, std::string const& part) { return outcome.output.find(part) != std::string::npos; }

/// Checkpoints by name, without hidden files and pointers.
std::set<std::string> checkpoints_in(fs::path const& folder) {
  std::set<std::string> names;
  for (auto const& entry : fs::directory_iterator(folder)) {
    auto const name = entry.path().filename().string();
    if (entry.is_directory() && name.front() != '.') names.insert(name);
  }
  return names;
}

std::string text_of(fs::path const& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

TEST_CASE(
    "train_gpt2: folders above are made, and a place that cannot be written to is refused before the first step") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  CHECK(run(data + "--checkpoint-dir " + folder.quote("a/b/run") + " --save-hf " + folder.quote("c/d/model")).code ==
        0);
  CHECK(fs::exists(folder / "a/b/run/final"));
  CHECK(fs::exists(folder / "c/d/model/model.safetensors"));
  fs::create_symlink(folder / "nowhere", folder / "link");
  for (std::string const place : {"text.txt", "link", "text.txt/below"}) {
    for (std::string const option : {"--checkpoint-dir ", "--save-hf "}) {
      CAPTURE(place);
      CAPTURE(option);
      auto const outcome = run(data + option + folder.quote(place.c_str()));
      CAPTURE(outcome.output);
      CHECK((outcome.code == 2 || outcome.code == 1));
      CHECK_FALSE(says(outcome, "step 1/"));
    }
  }
}

TEST_CASE("train_gpt2: a new run is refused in the folder of another, unless it is told to take its place") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--keep 2 --checkpoint-dir " +
                             folder.quote("run") + " --save-interval 1 ";
  REQUIRE(run(run_of + "--iterations 8").code == 0);
  auto const before = checkpoints_in(folder / "run");
  auto const best = text_of(folder / "run" / "best");
  std::pair<std::string, std::string> const ways[]{
      {"", "--resume auto goes on"},
      {"--ranks 2", "--resume auto goes on"},
      {"--resume auto --parameters-only", "without --parameters-only the run goes on"},
      {"--resume auto --new-optimizer", "--new-optimizer begins another run: name another folder, with --resume " +
                                            (folder / "run" / "step-8").string() + "; --overwrite"},
      {"--ranks 2 --resume auto --new-schedule", "without --new-schedule the run goes on"}};
  for (auto const& [again, way] : ways) {
    auto const refused = run(run_of + again);
    CAPTURE(refused.output);
    CHECK(refused.code == 2);
    CHECK(says(refused, way));
    for (auto const* const other : {"--overwrite takes its place", "another folder"}) CHECK(says(refused, other));
    CHECK_FALSE(says(refused, "resumed from"));
    auto const dry = run(run_of + again + " --dry-run");
    CHECK(dry.code == 2);
    CHECK(says(dry, way));
    CHECK_FALSE(says(refused, "step 1/"));
    CHECK(checkpoints_in(folder / "run") == before);
    CHECK(text_of(folder / "run" / "best") == best);
  }
  check_rejected(run_of + "--overwrite --resume auto", "leave one out");
  auto const taken = run(run_of + "--overwrite --lr 0 --eval-interval 100 --iterations 3");
  CAPTURE(taken.output);
  CHECK(taken.code == 0);
  CHECK(checkpoints_in(folder / "run") == std::set<std::string>{"step-2", "step-3"});
  CHECK(text_of(folder / "run" / "best") == "step-3");
  CHECK(run(run_of + "--resume auto").code == 0);
}

TEST_CASE("train_gpt2: while a run saves into a folder another is refused; after its death the next one goes on") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny + "--checkpoint-dir " + folder.quote("run");
  // A second run, while the first one's log shows that it is at work; then the first one is killed.
  auto const outcome = run(data + " --iterations 1000000 --save-interval 2 --log " + folder.quote("log") +
                           " > /dev/null & pid=$!; while ! [ -e " + folder.quote("run/latest") +
                           " ]; do sleep 0.05; done; '" TRAIN_GPT2 "' " + data +
                           " --resume auto 2>&1; echo \"code $?\"; kill -KILL $pid; wait $pid; '" TRAIN_GPT2 "' " +
                           last_of_each(data + " --resume auto --iterations 1"));
  CAPTURE(outcome.output);
  CHECK(says(outcome, "belongs to process"));
  CHECK(says(outcome, "code 2\n"));
  CHECK(says(outcome, "resumed from"));
  CHECK(outcome.code == 0);
}

TEST_CASE("train_gpt2: the best is saved whenever a validation is, and --save best saves nothing else but the end") {
  Folder const folder;
  std::string const run_of =
      "--data " + folder.quote("text.txt") + tiny + "--eval-interval 3 --iterations 8 --lr 1e-2 ";
  REQUIRE(run(run_of + "--save-interval 7 --checkpoint-dir " + folder.quote("often")).code == 0);
  CHECK(checkpoints_in(folder / "often") == std::set<std::string>{"step-3", "step-6", "step-7", "step-8"});
  auto const only = run(run_of + "--save best --tag mine --checkpoint-dir " + folder.quote("best"));
  CAPTURE(only.output);
  REQUIRE(only.code == 0);
  CHECK(checkpoints_in(folder / "best") == std::set<std::string>{"mine-3", "mine-6", "mine-8"});
  CHECK(text_of(folder / "best" / "best") == "mine-8");
  CHECK(says(run(run_of + "--resume " + folder.quote("best/final")), "/mine-8, 8 updates done"));
  check_rejected("--save best", "--checkpoint-dir");
  check_rejected("--save best --save-interval 3 --checkpoint-dir x", "no interval");
  check_rejected("--tag a/b --checkpoint-dir x", "--tag a/b: expected");
}

TEST_CASE("train_gpt2: a model is replaced only where that is asked for, and a failed export costs nothing else") {
  Folder const folder;
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + "--save-hf " + folder.quote("model");
  REQUIRE(run(run_of).code == 0);
  auto const refused = run(run_of);
  CHECK(refused.code == 2);
  CHECK(says(refused, "holds a model.safetensors already: use --overwrite"));
  CHECK_FALSE(says(refused, "step 1/"));
  CHECK(run(run_of + " --overwrite").code == 0);
  auto const before = fs::file_size(folder / "model" / "model.safetensors");
  auto const files = [&] { return std::distance(fs::directory_iterator(folder / "model"), {}); };
  auto const files_before = files();
  // Two ranks, so that one has to go on without the other's file; a checkpoint would be as large as the model.
  auto const failed = run_in("ulimit -f 8;", last_of_each(run_of + " --overwrite --ranks 2 --sample 5"));
  CAPTURE(failed.output);
  CHECK(failed.code == 1);
  for (auto const* const part : {"model: NOT SAVED", "ulimit -f", "parameter hash:", "sample:", "where memory went"}) {
    CHECK(says(failed, part));
  }
  CHECK(fs::file_size(folder / "model" / "model.safetensors") == before);
  CHECK(files() == files_before);
}

TEST_CASE("train_gpt2: a last save that fails is tried again, and the run ends as it would have, with an exit code") {
  Folder const folder;
  auto const failed =
      run_in("ulimit -f 8;", last_of_each("--data " + folder.quote("text.txt") + tiny + "--checkpoint-dir " +
                                          folder.quote("run") + " --save-hf " + folder.quote("model") + " --sample 5"));
  CAPTURE(failed.output);
  CHECK(failed.code == 1);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = failed.output.find("checkpoint: NOT SAVED", at)) != std::string::npos; ++at) ++count;
  CHECK(count == 1 + 3);  // step 2, and three attempts at the end
  for (auto const* const part : {"model: NOT SAVED", "parameter hash:", "sample:"}) CHECK(says(failed, part));
  CHECK(checkpoints_in(folder / "run").empty());
}

TEST_CASE("train_gpt2: a run whose checkpoints have no room says so before its first step, with both numbers") {
  Folder const folder;
  // More than any disk has, of which two are made.
  std::string const saves = "--data " + folder.quote("text.txt") + tiny +
                            "--iterations 1099511627776 --eval-interval 1 --lr 0 --patience 1 --checkpoint-dir " +
                            folder.quote("run");
  auto const outcome = run(saves);
  CAPTURE(outcome.output);
  CHECK(outcome.code == 0);
  auto const at = outcome.output.find("checkpoint: 1,099,511,627,776 checkpoints to come need ");
  REQUIRE(at != std::string::npos);
  CHECK(at < outcome.output.find("step 1/"));
  auto const line = outcome.output.substr(at, outcome.output.find('\n', at) - at);
  CHECK(line.find(" bytes, and " + (folder / "run").string() + " has ") != std::string::npos);
  CHECK(line.find(" free: keep fewer (--keep, --save best), or free space") != std::string::npos);
  auto const kept = run(saves + " --keep 2 --overwrite");
  CHECK(kept.code == 0);
  CHECK(kept.output.find("checkpoints to come need") == std::string::npos);
}

TEST_CASE("train_gpt2: a run that resumes does not read --init-from, and --new-optimizer keeps step and data order") {
  auto const hash = [](Outcome const& outcome) {
    return outcome.output.substr(outcome.output.find("parameter hash:"), 32);
  };
  Folder const folder;
  std::string const each = "--stage 1 --lr 1e-2 ";
  std::string const run_of = "--data " + folder.quote("text.txt") + tiny + each;
  auto const saves = run_of + "--checkpoint-dir " + folder.quote("run");
  REQUIRE(run(saves).code == 0);
  auto const resumed = run(saves + " --iterations 6 --resume auto --init-from " + folder.quote("gone.safetensors"));
  CAPTURE(resumed.output);
  CHECK(resumed.code == 0);
  CHECK(says(resumed, "gone.safetensors is not read, as the run is resumed"));
  auto const by_path = run(run_of + "--iterations 6 --resume " + folder.quote("run/step-4") + " --init-from " +
                           folder.quote("gone.safetensors"));
  CAPTURE(by_path.output);
  CHECK(by_path.code == 0);
  CHECK(says(by_path, "gone.safetensors is not read, as the run is resumed"));
  CHECK(hash(by_path) == hash(resumed));
  auto const fresh = run(run_of + "--iterations 6 --resume " + folder.quote("run/step-4") +
                         " --new-optimizer --save-interval 1 --checkpoint-dir " + folder.quote("other"));
  CAPTURE(fresh.output);
  CHECK(fresh.code == 0);
  CHECK(says(fresh, "step-4, 4 updates done, with a new optimizer"));
  CHECK(says(fresh, "step 6/6"));
  CHECK(checkpoints_in(folder / "other") == std::set<std::string>{"step-5", "step-6"});
  auto const last = run(run_of + "--iterations 7 --resume auto --checkpoint-dir " + folder.quote("other"));
  CAPTURE(last.output);
  CHECK(checkpoints_in(folder / "other").contains("step-7"));
  CHECK(hash(fresh) != hash(resumed));
  check_rejected("--new-optimizer", "--resume");
  check_rejected("--new-optimizer --parameters-only --resume x", "leave one out");
}

TEST_CASE("train_gpt2: a dry run says what the run would be, refuses what it would refuse, and writes nothing") {
  Folder const folder;
  std::string const data = "--data " + folder.quote("text.txt") + tiny;
  std::string const outputs = "--checkpoint-dir " + folder.quote("a/run") + " --csv " + folder.quote("curves") +
                              " --log " + folder.quote("log") + " --save-hf " + folder.quote("model");
  auto const would_be = run(data + "--ranks 2 --stage 3 --dry-run " + outputs);
  CAPTURE(would_be.output);
  CHECK(would_be.code == 0);
  CHECK(says(would_be, "model: 2 layers, 2 heads, width 16, context 8: "));
  CHECK(says(would_be, "run: 2 ranks, ZeRO-3, fp32, offload none, 2 sequences x 1 micro-batch per rank and step"));
  CHECK(says(would_be, "dry run: nothing was trained, and nothing was written\n"));
  CHECK_FALSE(says(would_be, "step 1/"));
  for (auto const* const name : {"a", "curves", "log", "model"}) CHECK_FALSE(fs::exists(folder / name));
  // What a run would find, it finds.
  check_rejected("--dry-run --data " + folder.quote("nothing"), "no such file", 4);
  check_rejected("--dry-run --config " + folder.quote("nothing.json"), "nothing.json");
  check_rejected("--dry-run --log " + folder.quote("none/log") + " --data " + folder.quote("text.txt"),
                 "cannot be written");
  REQUIRE(run(data + outputs).code == 0);
  auto const log = fs::file_size(folder / "log");
  auto const another = run(data + "--dry-run --checkpoint-dir " + folder.quote("a/run"));
  CHECK(another.code == 2);
  CHECK(says(another, "holds step-4 of another run"));
  CHECK(run(data + "--dry-run --resume auto " + outputs).code == 0);
  CHECK(fs::file_size(folder / "log") == log);
}

}  // namespace trainer_folders_test
