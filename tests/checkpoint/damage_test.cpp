// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace checkpoint_damage_test {

using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::TemporaryFolder;
using checkpoint_test::thrown_by;
using zero::CheckpointError;
using zero::CheckpointFailure;
using zero::CheckpointFolder;

namespace {

zero::SelfCommunicator self;

void save(zero::FileSystem& system, std::string const& root, std::uint64_t seed) {
  PlainState state(self, seed);
  (void)checkpoint_test::save_checkpoint(
      state, CheckpointFolder(system, root),
      {.tag = "step-" + std::to_string(seed), .user_state = {{"data", std::string("\xFF\0", 2)}}, .chunk = 128});
}

/// Loads what is asked for; the data must be what was saved, or the error one of the library's.
bool is_whole_or_refused(MemoryFileSystem& memory, bool& refused) {
  PlainState state(self, 0);
  refused = false;
  try {
    (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-1"});
  } catch (CheckpointError const&) {
    refused = true;
    return true;
  }
  return state.same(PlainState(self, 1));
}

/// \p body with the last line that fits it.
std::string sealed(std::string const& body) { return body + zero::detail::manifest_end(body); }

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  auto const at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

/// Bytes before the data of a safetensors file.
std::size_t head_of(std::string const& content) {
  return 8 + static_cast<unsigned char>(content[0]) + 256U * static_cast<unsigned char>(content[1]);
}

}  // namespace

TEST_CASE("damage: every truncation and every flipped bit of every file is refused, or harmless") {
  MemoryFileSystem memory;
  save(memory, "/run", 1);
  for (auto const& file : memory.snapshot()) {
    auto const& path = file.first;
    auto const& content = file.second;
    if (path == "run/latest" || path.starts_with("run/.owner.")) continue;
    CAPTURE(path);
    bool refused = false;
    std::size_t const stride = checkpoint_test::is_sampled ? 7 : 1;  // odd, so that each bit of a byte is met
    for (std::size_t size = 0; size < content.size(); size += stride) {
      memory.replace("/" + path, content.substr(0, size));
      REQUIRE(is_whole_or_refused(memory, refused));
      REQUIRE(refused);
    }
    for (std::size_t bit = 0; bit < content.size() * 8; bit += stride) {
      auto damaged = content;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      memory.replace("/" + path, damaged);
      REQUIRE(is_whole_or_refused(memory, refused));
      // A chunk of nothing but header is not read; everything else is under a checksum.
      if (path.ends_with("manifest.json") || bit / 8 >= head_of(content) / 128 * 128) REQUIRE(refused);
    }
    memory.replace("/" + path, content + "x");
    REQUIRE(is_whole_or_refused(memory, refused));
    REQUIRE(refused);
    memory.replace("/" + path, content);
    REQUIRE(is_whole_or_refused(memory, refused));
    REQUIRE_FALSE(refused);
  }
}

TEST_CASE("damage: a manifest with a valid checksum that contradicts itself is refused") {
  MemoryFileSystem memory;
  save(memory, "/run", 1);
  std::string const path = "/run/step-1/manifest.json";
  std::string text = memory.content(path);
  std::string const body = text.substr(0, text.size() - zero::detail::manifest_end({}).size());
  auto const load = [&] {
    return thrown_by([&] {
      PlainState state(self, 0);
      (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-1"});
    });
  };
  std::vector<std::pair<std::string, std::string>> const changes = {
      {"\"name\":\"parameters-00000-of-00001.safetensors\"", "\"name\":\"../x\""},
      {"\"name\":\"parameters-00000-of-00001.safetensors\"", "\"name\":\"/etc/passwd\""},
      {"\"name\":\"exp_avg-00000-of-00001.safetensors\"", "\"name\":\"parameters-00000-of-00001.safetensors\""},
      {"\"kind\":\"exp_avg\"", "\"kind\":\"parameters\""},
      {"\"kind\":\"exp_avg\"", "\"kind\":\"other\""},
      {"\"world\":1", "\"world\":2"},
      {"\"world\":1", "\"world\":0"},
      {"\"world\":1", "\"world\":-1"},
      {"\"world\":1", "\"world\":1e0"},
      {"\"world\":1", "\"world\":18446744073709551616"},
      {"\"stage\":0", "\"stage\":4"},
      {"\"tag\":\"step-1\"", "\"tag\":\"step-2\""},
      {"\"tag\":\"step-1\"", "\"tag\":\"../step-1\""},
      {"\"rank\":0", "\"rank\":1"},
      {"\"chunk\":128", "\"chunk\":0"},
      {"\"chunk\":128", "\"chunk\":129"},
      {"\"chunk\":128", "\"chunk\":64"},
      {"\"shape\":[5,3]", "\"shape\":[5,4]"},
      {"\"shape\":[5,3]", "\"shape\":[5,0]"},
      {"\"shape\":[5,3]", "\"shape\":[4294967296,4294967296]"},
      {"\"ranges\":[0,0,15,", "\"ranges\":[0,0,14,"},
      {"\"ranges\":[0,0,15,", "\"ranges\":[0,15,0,"},
      {"\"ranges\":[0,0,15,", "\"ranges\":[9,0,15,"},
      {"\"ranges\":[0,0,15,", "\"ranges\":[0,0,15,0,0,15,"},
      {"\"ranges\":[0,0,15,", "\"ranges\":[0,0,18446744073709551615,"},
      {"\"ranges\":[0,0,15,", "\"ranges\":[0,15,"},
      {"\"type\":\"fp32\"", "\"type\":\"fp64\""},
      {"\"type\":\"fp32\"", "\"type\":\"bf16\""},
      {"\"frozen\":true", "\"frozen\":false"},
      {"\"frozen\":true", "\"frozen\":1"},
      {"\"name\":\"b\"", "\"name\":\"a\""},
      {"\"states\":[\"exp_avg\",", "\"states\":[\"exp_avg_sq\","},
      {"\"states\":[\"exp_avg\",", "\"states\":[\"../exp_avg\","},
      {"\"scaler_state\":\"01", "\"scaler_state\":\"0x"},
      {"\"scaler_state\":\"01", "\"scaler_state\":\"1"},
      {"\"steps\":1", "\"steps\":1.5"},
      {"\"steps\":1,", ""},
      {"\"format\":\"zero checkpoint\"", "\"format\":\"another\""},
      {"{\"hex\":\"ff00\"}", "{\"hex\":\"ff0\"}"},
      {"{\"hex\":\"ff00\"}", "{}"},
      {"\"data_begin\":", "\"data_begin\":1"}};
  for (auto const& change : changes) {
    auto const& from = change.first;
    auto const& to = change.second;
    CAPTURE(from);
    CAPTURE(to);
    memory.replace(path, sealed(replaced(body, from, to)));
    CHECK(load().kind == CheckpointFailure::damaged);
  }
  // A shard that is missing, and one more.
  auto const from = body.find("{\"name\":\"exp_avg-"), to = body.find("{\"name\":\"exp_avg_sq-");
  REQUIRE(to > from);
  std::string const shard = body.substr(from, to - from);
  memory.replace(path, sealed(replaced(body, shard, "")));
  CHECK(load().kind == CheckpointFailure::damaged);
  memory.replace(path, sealed(replaced(body, shard, shard + shard)));
  CHECK(load().kind == CheckpointFailure::damaged);
  memory.replace(
      path, sealed(replaced(body, shard, shard + replaced(shard, "exp_avg-00000-of-00001", "more-00000-of-00001"))));
  CHECK(load().kind == CheckpointFailure::damaged);
  memory.replace(path, sealed(replaced(body, "\"version\":1", "\"version\":3")));
  auto const newer = load();
  CHECK(newer.kind == CheckpointFailure::mismatch);
  CHECK(newer.says("version 3 of the format"));
  CHECK(newer.says("reads versions 1 to 2"));
  memory.replace(path, sealed(body));
  CHECK_NOTHROW(([&] {
    PlainState state(self, 0);
    (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-1"});
  })());
}

TEST_CASE("damage: what version 2 says of a parameter is obeyed, or refused by the parameter's name") {
  MemoryFileSystem memory;
  save(memory, "/run", 1);
  std::string const path = "/run/step-1/manifest.json";
  std::string const text = memory.content(path);
  std::string const body =
      replaced(text.substr(0, text.size() - zero::detail::manifest_end({}).size()), "\"version\":1", "\"version\":2");
  // Loads with another member of the first parameter; the step from which that counts.
  auto const load_with = [&](std::string const& member) {
    memory.replace(path, sealed(replaced(body, "\"frozen\":false}", "\"frozen\":false," + member + "}")));
    PlainState state(self, 0);
    (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-1"});
    return state.progress().first_steps.at(0);
  };
  for (auto const& one : std::vector<std::pair<std::string, std::string>>{
           {"\"rule\":\"Muon\"", "'a' was trained with Muon"}, {"\"scaler\":\"of its own\"", "of its own"}}) {
    auto const& member = one.first;
    CAPTURE(member);
    auto const refused = thrown_by([&] { (void)load_with(member); });
    CHECK(refused.kind == CheckpointFailure::mismatch);
    CHECK(refused.says(one.second));
  }
  for (std::string const damaged :
       {"\"rule\":1", "\"states\":\"exp_avg\"", "\"steps\":-1", "\"scaler\":[]",
        // States of which no file has elements, of which files have some, and with names that cannot be.
        "\"states\":[\"momentum_buffer\"]", "\"states\":[]", "\"states\":[\"exp_avg\",\"exp_avg\"]",
        "\"states\":[\"parameters\"]", "\"states\":[\"../exp_avg\"]"}) {
    CAPTURE(damaged);
    CHECK(thrown_by([&] { (void)load_with(damaged); }).kind == CheckpointFailure::damaged);
  }
  CHECK(load_with("\"rule\":\"" + zero::detail::parse_manifest(text).rule + "\"") == 0);
  CHECK(load_with("\"steps\":1") == 0);
  CHECK(load_with("\"steps\":0") == 1);
  memory.replace(path, sealed(replaced(body, "\"frozen\":true}", "\"frozen\":true,\"steps\":1}")));
  CHECK(thrown_by([&] { (void)CheckpointFolder(memory, "/run").manifest("step-1"); }).kind ==
        CheckpointFailure::damaged);
}

TEST_CASE("damage: a manifest's number of micro-batches is read, and one that cannot be is damage") {
  MemoryFileSystem memory;
  save(memory, "/run", 1);
  std::string const path = "/run/step-1/manifest.json";
  std::string const text = memory.content(path);
  auto const body = text.substr(0, text.size() - zero::detail::manifest_end({}).size());
  auto const read_with = [&](std::string const& number) {
    memory.replace(path,
                   sealed(replaced(body, "\"chunk\":", "\"micro_batches_per_step\":" + number + ",\n\"chunk\":")));
    return CheckpointFolder(memory, "/run").manifest("step-1").micro_batches_per_step;
  };
  CHECK(CheckpointFolder(memory, "/run").manifest("step-1").micro_batches_per_step == std::nullopt);
  CHECK(read_with("12") == 12);
  for (std::string const bad : {"0", "-1", "\"12\"", "1e3", "1073741825", "[]"}) {
    CAPTURE(bad);
    CHECK(thrown_by([&] { (void)read_with(bad); }).kind == CheckpointFailure::damaged);
  }
}

TEST_CASE("damage: a file that is missing, swapped with another's, or from another save is named") {
  MemoryFileSystem memory;
  save(memory, "/run", 1);
  save(memory, "/run", 2);
  auto const load = [&] {
    return thrown_by([&] {
      PlainState state(self, 0);
      (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-2"});
    });
  };
  std::string const a = "exp_avg-00000-of-00001.safetensors", b = "exp_avg_sq-00000-of-00001.safetensors";
  auto const kept = memory.content("/run/step-2/" + a);
  memory.replace("/run/step-2/" + a, memory.content("/run/step-1/" + a));
  CHECK(load().says(a));
  memory.replace("/run/step-2/" + a, memory.content("/run/step-2/" + b));
  CHECK(load().kind == CheckpointFailure::damaged);
  REQUIRE(memory.remove_file("/run/step-2/" + a) == 0);
  CHECK(load().kind == CheckpointFailure::not_found);
  memory.replace("/run/step-2/" + a, kept);
  PlainState state(self, 0);
  (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "step-2"});
  CHECK(state.same(PlainState(self, 2)));
}

TEST_CASE("damage: a pipe, a link and a folder in the place of a file are refused, and none is waited for") {
  TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  save(system, folder.path(), 1);
  std::string const shard = folder / "step-1/exp_avg-00000-of-00001.safetensors";
  auto const load = [&] {
    return thrown_by([&] {
      PlainState state(self, 0);
      (void)checkpoint_test::load_checkpoint(state, CheckpointFolder(system, folder.path()), {.tag = "step-1"});
    });
  };
  std::filesystem::rename(shard, folder / "kept");
  REQUIRE(::mkfifo(shard.c_str(), 0600) == 0);
  CHECK(load().kind == CheckpointFailure::input_output);
  std::filesystem::remove(shard);
  std::filesystem::create_symlink(folder / "kept", shard);
  CHECK(load().kind == CheckpointFailure::input_output);
  std::filesystem::remove(shard);
  std::filesystem::create_directory(shard);
  CHECK(load().kind == CheckpointFailure::input_output);
  std::filesystem::remove(shard);
  std::filesystem::rename(folder / "kept", shard);
  PlainState state(self, 0);
  CHECK(checkpoint_test::load_checkpoint(state, CheckpointFolder(system, folder.path())).tag == "step-1");
  CHECK(state.same(PlainState(self, 1)));
}

}  // namespace checkpoint_damage_test
