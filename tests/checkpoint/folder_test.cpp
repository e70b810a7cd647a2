// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace checkpoint_folder_test {

using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::CheckpointFolder;

namespace {

zero::SelfCommunicator self;

zero::SaveReport save(MemoryFileSystem& memory, std::uint64_t seed, zero::SaveOptions how = {}) {
  if (how.tag.empty()) how.tag = "step-" + std::to_string(seed);
  PlainState state(self, seed);
  return checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), how);
}

zero::LoadReport load(MemoryFileSystem& memory, zero::LoadOptions const& how = {}) {
  PlainState state(self, 0);
  auto report = checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), how);
  if (report.has_optimizer_state) CHECK(state.same(PlainState(self, report.steps)));
  return report;
}

std::vector<std::string> entries(MemoryFileSystem& memory) {
  std::vector<std::string> names;
  REQUIRE(memory.list("/run", names) == 0);
  std::erase_if(names, [](auto const& name) { return name.starts_with(".owner."); });
  return names;
}

}  // namespace

TEST_CASE("folder: tags that are paths, hidden, reserved, too long or odd are refused by saving and by loading") {
  MemoryFileSystem memory;
  std::vector<std::string> const tags{"..",
                                      ".",
                                      "a/b",
                                      "/a",
                                      "-a",
                                      ".a",
                                      "a b",
                                      "a\n",
                                      std::string("a\0b", 3),
                                      "latest",
                                      "best",
                                      "final",
                                      std::string(129, 'a'),
                                      "\xC3\xA9"};
  for (auto const& tag : tags) {
    CAPTURE(tag);
    CHECK(thrown_by([&] { (void)save(memory, 1, {.tag = tag}); }).kind == CheckpointFailure::bad_request);
    CHECK(thrown_by([&] { (void)load(memory, {.tag = tag}); }).kind == CheckpointFailure::bad_request);
  }
  CHECK(memory.snapshot().empty());
  CHECK_NOTHROW((void)save(memory, 1, {.tag = std::string(128, 'a')}));
  CHECK_NOTHROW((void)save(memory, 1, {.tag = "v1.2_final-3"}));
}

TEST_CASE("folder: a tag is taken once, unless it is to be replaced") {
  MemoryFileSystem memory;
  (void)save(memory, 1, {.tag = "a"});
  CHECK(thrown_by([&] { (void)save(memory, 2, {.tag = "a"}); }).kind == CheckpointFailure::exists);
  CHECK(load(memory).steps == 1);
  (void)save(memory, 2, {.tag = "a", .replace = true});
  CHECK(load(memory).steps == 2);
  CHECK(entries(memory) == std::vector<std::string>{"a", "latest"});
}

TEST_CASE("folder: a checkpoint is replaced also where the file system cannot exchange two names") {
  for (int const error : {EINVAL, ENOSYS, EOPNOTSUPP}) {
    CAPTURE(error);
    MemoryFileSystem memory;
    (void)save(memory, 1, {.tag = "a"});
    checkpoint_test::FaultyFileSystem poor(memory);
    poor.only = "exchange";
    poor.fail(0, error, true);
    PlainState state(self, 2);
    (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(poor, "/run"), {.tag = "a", .replace = true});
    CHECK(load(memory).steps == 2);
    CHECK(entries(memory) == std::vector<std::string>{"a", "latest"});
  }
}

TEST_CASE("folder: latest is a hint that may be old, wrong, empty, huge or missing") {
  MemoryFileSystem memory;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) (void)save(memory, seed);
  CHECK(load(memory).tag == "step-3");
  memory.replace("/run/latest", "step-2");
  CHECK(load(memory).tag == "step-2");  // somebody went back
  std::vector<std::string> const wrong{
      "", "\n", "step-9\n", "../step-2\n", "/run/step-2", "step-1\nstep-2\n", std::string(1'000'000, 'a')};
  for (auto const& text : wrong) {
    CAPTURE(text.substr(0, 20));
    memory.replace("/run/latest", text);
    auto const report = load(memory);
    CHECK(report.tag == "step-3");
    CHECK(report.skipped.empty() == (text == "step-9\n"));
  }
  REQUIRE(memory.remove_file("/run/latest") == 0);
  CHECK(load(memory).tag == "step-3");
}

TEST_CASE("folder: of checkpoints with as many updates the one with the larger number is newer") {
  zero::SavedCheckpoint const nine{.steps = 2, .tag = "step-9"}, ten{.steps = 2, .tag = "step-10"};
  CHECK(nine < ten);
  CHECK_FALSE(ten < nine);
  CHECK(ten < zero::SavedCheckpoint{.steps = 3, .tag = "step-1"});
}

TEST_CASE("folder: nothing to load is told from nothing that can be loaded") {
  MemoryFileSystem memory;
  CHECK(thrown_by([&] { (void)load(memory); }).kind == CheckpointFailure::not_found);
  REQUIRE(memory.make_folder("/run") == 0);
  CHECK(thrown_by([&] { (void)load(memory); }).kind == CheckpointFailure::not_found);
  CHECK(thrown_by([&] { (void)load(memory, {.tag = "step-1"}); }).kind == CheckpointFailure::not_found);
  (void)save(memory, 1);
  memory.replace("/run/step-1/manifest.json", "{");
  auto const thrown = thrown_by([&] { (void)load(memory); });
  CHECK(thrown.kind == CheckpointFailure::damaged);
  CHECK(thrown.says("step-1"));
}

TEST_CASE("folder: a damaged newest checkpoint is passed over for the newest valid one, and the report says so") {
  MemoryFileSystem memory;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) (void)save(memory, seed);
  memory.replace("/run/step-4/manifest.json", "");
  std::string const shard = "/run/step-3/exp_avg_sq-00000-of-00001.safetensors";
  auto content = memory.content(shard);
  content.back() = static_cast<char>(content.back() ^ 1);
  memory.replace(shard, content);
  auto const report = load(memory);
  CHECK(report.tag == "step-2");
  REQUIRE(report.skipped.size() == 2);
  CHECK(report.skipped[0].find("step-4") != std::string::npos);
  CHECK(report.skipped[1].find("checksum") != std::string::npos);
  CHECK(thrown_by([&] { (void)load(memory, {.tag = "step-3"}); }).kind == CheckpointFailure::damaged);
}

TEST_CASE("folder: of many damaged checkpoints a few are named, and nothing else that is there") {
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/run") == 0);
  memory.replace("/run/notes.txt", "text");
  REQUIRE(memory.make_folder("/run/model") == 0);
  memory.replace("/run/model/model.safetensors", "of somebody else");
  REQUIRE(memory.make_folder("/run/shards") == 0);
  std::string const shards = R"({"format": "zero-tokens", "version": 1, "shards": [{"file": "train_000000.bin"}]})";
  memory.replace("/run/shards/manifest.json", shards);
  auto const none = thrown_by([&] { (void)load(memory); });
  CHECK(none.kind == CheckpointFailure::not_found);
  CHECK(none.says("there is no valid checkpoint in '/run': name the folder that one was saved into"));
  auto const named = thrown_by([&] { (void)load(memory, {.tag = "shards"}); });
  CHECK(named.kind == CheckpointFailure::mismatch);
  CHECK(named.says("the manifest is that of a folder of 'zero-tokens', and of no checkpoint"));

  REQUIRE(memory.make_folder("/run/empty") == 0);
  REQUIRE(memory.make_folder("/run/lost") == 0);
  memory.replace("/run/lost/parameters-00000-of-00001.safetensors", "whose manifest is lost");
  auto const two = thrown_by([&] { (void)load(memory); });
  CHECK(two.kind == CheckpointFailure::damaged);
  CHECK(two.says("passed over: 'empty: "));
  CHECK(two.says("', 'lost: "));
  CHECK_FALSE(two.says("model"));
  CHECK_FALSE(two.says("shards"));
  for (int i = 0; i < 40; ++i) {
    REQUIRE(memory.make_folder("/run/step-" + std::to_string(i)) == 0);
    // Cut off, and altered where its format stands: both might be a checkpoint's.
    memory.replace("/run/step-" + std::to_string(i) + "/manifest.json", i % 2 == 0 ? shards.substr(0, 40) : "{}");
  }
  CHECK(thrown_by([&] { (void)load(memory); }).says(" and 39 more"));
}

TEST_CASE("folder: keep removes what is older, but never what latest, best and final name") {
  MemoryFileSystem memory;
  (void)save(memory, 1, {.aliases = {"best"}});
  for (std::uint64_t seed = 2; seed <= 6; ++seed) (void)save(memory, seed, {.keep = 2});
  CHECK(entries(memory) == std::vector<std::string>{"best", "latest", "step-1", "step-5", "step-6"});
  CHECK(CheckpointFolder(memory, "/run").pointer("best") == "step-1");
  (void)save(memory, 3, {.keep = 2});  // somebody went back: latest counts, not the number
  CHECK(entries(memory) == std::vector<std::string>{"best", "latest", "step-1", "step-3", "step-5", "step-6"});
  CHECK(load(memory).tag == "step-3");
  CHECK(thrown_by([&] { (void)save(memory, 7, {.keep = 1}); }).kind == CheckpointFailure::bad_request);
  CHECK(thrown_by([&] { (void)save(memory, 7, {.aliases = {"other"}}); }).kind == CheckpointFailure::bad_request);
}

TEST_CASE("folder: old checkpoints are removed, and damaged ones replaced by older ones, within one run only") {
  MemoryFileSystem memory;
  auto const save_of = [&](std::uint64_t seed, std::string const& run) {
    zero::UserState state;
    if (!run.empty()) state[std::string(zero::run_id_key)] = run;
    (void)save(memory, seed, {.user_state = state, .keep = 2});
  };
  for (std::uint64_t seed = 10; seed <= 13; ++seed) save_of(seed, "");
  for (std::uint64_t seed = 20; seed <= 23; ++seed) save_of(seed, "a");
  for (std::uint64_t seed = 1; seed <= 4; ++seed) save_of(seed, "b");
  CHECK(entries(memory) ==
        std::vector<std::string>{"latest", "step-12", "step-13", "step-22", "step-23", "step-3", "step-4"});
  auto const damage = [&](std::string const& tag) {
    memory.replace("/run/" + tag + "/exp_avg-00000-of-00001.safetensors", "");
  };
  damage("step-4");
  CHECK(load(memory).tag == "step-3");
  damage("step-3");
  CHECK(thrown_by([&] { (void)load(memory); }).kind == CheckpointFailure::damaged);
  CHECK(load(memory, {.tag = "step-13"}).steps == 13);
  memory.replace("/run/step-4/manifest.json", "{");
  auto const thrown = thrown_by([&] { (void)load(memory); });
  CHECK(thrown.kind == CheckpointFailure::damaged);
  CHECK(thrown.says("checkpoints of several runs"));
  CHECK(thrown.says("name the one to load"));
}

TEST_CASE("folder: what does not fit is refused with its name, and nothing has changed") {
  MemoryFileSystem memory;
  (void)save(memory, 5);
  auto const refused = [&](auto&& change, zero::LoadOptions const& how = {}) {
    PlainState state(self, 1);
    change(state);
    auto thrown =
        thrown_by([&] { (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), how); });
    CHECK(thrown.kind == CheckpointFailure::mismatch);
    CHECK(state.elements() == PlainState(self, 1).elements());
    CHECK_FALSE(state.half_loaded);
    return thrown;
  };
  CHECK(refused([](auto& s) { s.parameters_[0].name = "z"; }).says("lacks 'z'"));
  CHECK(refused([](auto& s) { s.parameters_[0].name = "z"; }, {.allow_missing = true}).says("has 'a'"));
  CHECK(refused([](auto& s) { s.parameters_[0].shape = {3, 5}; }).says("'a' is [5,3] there and [3,5] here"));
  CHECK(refused([](auto& s) { s.traits_.rule = "Lion"; }).says("AdamW"));
  CHECK(refused([](auto& s) { s.traits_.scaler = "NoScale"; }).says("DynamicScale"));
  CHECK(refused([](auto& s) { s.traits_.scaler_bytes = 4; }).says("DynamicScale"));
  CHECK(refused([](auto& s) { s.parameters_[2].frozen = false; }).says("'c' was frozen"));
}

TEST_CASE("folder: parameters alone are saved and loaded; the optimizer stays as it is") {
  MemoryFileSystem memory;
  (void)save(memory, 5);
  (void)save(memory, 6, {.parameters_only = true});
  CHECK(thrown_by([&] { (void)load(memory); }).says("parameters only"));
  PlainState const six(self, 6);
  for (std::string const& tag : {std::string("step-5"), std::string("step-6")}) {
    PlainState state(self, 1);
    state.traits_.rule = "Lion";
    auto const report = checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"),
                                                         {.tag = tag, .parameters_only = true});
    PlainState const expected(self, report.steps), before(self, 1);
    for (auto const& [key, bytes] : state.elements()) {
      CHECK(bytes == (key.second == 0 ? expected : before).elements().at(key));
    }
    CHECK(state.progress().steps == 1);
    CHECK_FALSE(report.has_optimizer_state);
  }
  CHECK(memory.content("/run/step-6/exp_avg-00000-of-00001.safetensors").empty());
}

TEST_CASE("folder: missing and extra parameters are allowed where asked for, and reported") {
  MemoryFileSystem memory;
  (void)save(memory, 5);
  PlainState state(self, 1);
  state.parameters_[0].name = "z";
  auto const report = checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"),
                                                       {.allow_missing = true, .allow_extra = true});
  CHECK(report.missing == std::vector<std::string>{"z"});
  CHECK(report.extra == std::vector<std::string>{"a"});
  CHECK(report.parameters == 2);
  PlainState const five(self, 5), one(self, 1);
  CHECK(state.elements().at({0, 0}) == one.elements().at({0, 0}));
  CHECK(state.elements().at({1, 1}) == five.elements().at({1, 1}));
}

TEST_CASE("folder: the caller's state comes back byte for byte, from rank 0") {
  MemoryFileSystem memory;
  zero::UserState const caller{{"text", "é\n\"x\""}, {"bytes", std::string("\0\xFF\x80", 3)}, {"empty", ""}};
  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 7);
    auto const mine = ranks.rank() == 0 ? caller : zero::UserState{{"text", "another rank's"}};
    (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "a", .user_state = mine});
  });
  CHECK(load(memory).user_state == caller);
}

TEST_CASE("folder: the caller's state may be large, and one that no manifest holds is refused before a file is made") {
  MemoryFileSystem memory;
  zero::UserState const caller{{std::string(2U << 20U, 'k'), std::string(2U << 20U, 't')},
                               {"bytes", std::string(2U << 20U, '\xFF')}};
  (void)save(memory, 5, {.user_state = caller});
  CHECK(load(memory).user_state == caller);
  if (checkpoint_test::is_sampled) return;  // what follows writes hundreds of megabytes, byte by byte
  auto const before = memory.snapshot();
  std::string const control((zero::Manifest::largest / 6) + 1, '\x01');  // six characters of JSON each
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 7);
    auto const mine = ranks.rank() == 0 ? zero::UserState{{"control", control}} : zero::UserState{};
    auto const thrown = thrown_by([&] {
      (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "a", .user_state = mine});
    });
    CHECK(thrown.kind == CheckpointFailure::bad_request);
    CHECK(thrown.says("at most 256 MiB"));
  });
  CHECK(memory.snapshot() == before);
}

TEST_CASE("folder: long names of parameters come back") {
  MemoryFileSystem memory;
  std::string const name(2U << 20U, 'n');
  PlainState state(self, 5), other(self, 0);
  state.parameters_[0].name = other.parameters_[0].name = name;
  (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "a"});
  (void)checkpoint_test::load_checkpoint(other, CheckpointFolder(memory, "/run"), {});
  CHECK(other.same(state));
}

TEST_CASE("folder: ranks that save under different tags are told so, all of them") {
  MemoryFileSystem memory;
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 7);
    auto const thrown = thrown_by([&] {
      (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"),
                                             {.tag = ranks.rank() == 0 ? "a" : "b"});
    });
    CHECK(thrown.kind == CheckpointFailure::bad_request);
  });
  CHECK(memory.snapshot().empty());
}

TEST_CASE("folder: a file system that cannot sync folders is told of once, and saves all the same") {
  for (int const error : {EINVAL, ENOTSUP}) {
    MemoryFileSystem memory;
    checkpoint_test::FaultyFileSystem poor(memory);
    poor.only = "sync_folder";
    poor.fail(0, error, true);
    CheckpointFolder const folder(poor, "/run");
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      PlainState state(self, seed);
      auto const report =
          checkpoint_test::save_checkpoint(state, folder, {.tag = "step-" + std::to_string(seed), .keep = 2});
      REQUIRE(report.warnings.size() == (seed == 1 ? 1 : 0));
      if (seed == 1) CHECK(report.warnings[0].find("cannot sync folders") != std::string::npos);
    }
    CHECK(load(memory).steps == 3);
  }
}

TEST_CASE("folder: a parameter whose name safetensors keeps for itself is refused by name") {
  MemoryFileSystem memory;
  PlainState state(self, 1);
  state.parameters_[1].name = "__metadata__";
  auto const thrown =
      thrown_by([&] { (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "a"}); });
  CHECK(thrown.kind == CheckpointFailure::bad_request);
  CHECK(thrown.says("'__metadata__'"));
  CHECK(memory.snapshot().empty());
}

TEST_CASE("folder: the bytes of a checkpoint are known before it is saved, the same on every rank") {
  MemoryFileSystem memory;
  zero::run_ranks(3, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 7);
    auto const whole = checkpoint_test::checkpoint_bytes(state, false);
    CHECK(whole == 3 * 16 * 4 + 11 * 2);  // parameters and two states of a and b, and c in bf16
    CHECK(checkpoint_test::checkpoint_bytes(state, true) == 16 * 4 + 11 * 2);
  });
}

}  // namespace checkpoint_folder_test
