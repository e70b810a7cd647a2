// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace checkpoint_import_test {

using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;

namespace {

zero::SelfCommunicator self;

/// /model: the parameters of state 9, as they are, or lessened and all of one type.
void write_model(MemoryFileSystem& memory, std::optional<zero::ElementType> type) {
  PlainState state(self, 9);
  if (type) lessen(state);
  zero::CheckpointFolder const folder(memory, "/run");
  (void)checkpoint_test::save_checkpoint(state, folder, {.tag = "a"});
  (void)checkpoint_test::consolidate(folder, checkpoint_test::read_manifest(folder, "a"), "/model", {.type = type});
}

/// The same in files of at most 30 bytes of data, with an index: /model-0000K-of-00002.safetensors.
void write_sharded_model(MemoryFileSystem& memory) {
  PlainState state(self, 9);
  zero::CheckpointFolder const folder(memory, "/run");
  (void)checkpoint_test::save_checkpoint(state, folder, {.tag = "a"});
  (void)checkpoint_test::consolidate(folder, checkpoint_test::read_manifest(folder, "a"), "/model.safetensors",
                                     {.max_shard_bytes = 30});
}
constexpr char const* index_path = "/model.safetensors.index.json";
constexpr char const* first_file = "model-00001-of-00002.safetensors";
constexpr char const* second_file = "model-00002-of-00002.safetensors";

std::string index_of(std::vector<std::pair<std::string, std::string>> const& places) {
  std::string text = R"({"metadata":{"total_size":86},"weight_map":{)";
  for (auto const& [tensor, file] : places) text.append("\"").append(tensor).append("\":").append(file).append(",");
  text.back() = '}';
  return text + "}";
}
std::string quote(std::string const& text) { return "\"" + text + "\""; }

std::vector<float> floats(std::vector<std::byte> const& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

TEST_CASE("import: parameters come from a file of any floating type; states and steps stay as they are") {
  PlainState nine(self, 9);
  lessen(nine);
  PlainState const one(self, 1);
  for (auto const type : {zero::ElementType::fp32, zero::ElementType::bf16, zero::ElementType::fp16}) {
    MemoryFileSystem memory;
    write_model(memory, type);
    PlainState state(self, 1);
    auto const report = checkpoint_test::import_parameters(state, "/model", {}, memory);
    CHECK(report.parameters == 3);
    CHECK_FALSE(state.half_loaded);
    auto const got = floats(state.elements().at({0, 0})), saved = floats(nine.elements().at({0, 0}));
    for (std::size_t i = 0; i < got.size(); ++i) {
      zero::detail::with_element_type(type, [&]<class T>(T) {
        float const expected = zero::widen(zero::narrow<T>(saved[i]));
        CHECK(std::bit_cast<std::uint32_t>(got[i]) == std::bit_cast<std::uint32_t>(expected));
      });
    }
    if (type != zero::ElementType::fp16) CHECK(state.elements().at({2, 0}) == nine.elements().at({2, 0}));
    CHECK(state.elements().at({0, 1}) == one.elements().at({0, 1}));
    CHECK(state.progress().steps == 1);
  }
}

TEST_CASE("import: names are mapped, and what is missing, unused or of another shape or type is named") {
  MemoryFileSystem memory;
  write_model(memory, std::nullopt);
  auto const import = [&](PlainState& state, zero::ImportOptions const& how = {}) {
    return checkpoint_test::import_parameters(state, "/model", how, memory);
  };
  PlainState renamed(self, 1);
  renamed.parameters_[0].name = "z";
  auto const missing = thrown_by([&] { (void)import(renamed); });
  CHECK(missing.kind == CheckpointFailure::mismatch);
  CHECK(missing.says("lacks 'z'"));
  CHECK(renamed.elements() == PlainState(self, 1).elements());
  auto const partial = import(renamed, {.allow_missing = true});
  CHECK(partial.missing == std::vector<std::string>{"z"});
  CHECK(partial.unused == std::vector<std::string>{"a"});
  auto const names = [](std::string_view name) {
    return std::vector<std::string>{name == "z" ? "a" : std::string(name)};
  };
  CHECK(import(renamed, {.names = names}).parameters == 3);
  CHECK(renamed.elements().at({0, 0}) == PlainState(self, 9).elements().at({0, 0}));

  PlainState reshaped(self, 1);
  reshaped.parameters_[0].shape = {15};
  CHECK(thrown_by([&] { (void)import(reshaped); }).says("is [5,3] in '/model' and [15] here"));
  PlainState state(self, 1);
  auto file = memory.content("/model");
  memory.replace("/model", file.replace(file.find("\"F32\""), 5, "\"I32\""));
  CHECK(thrown_by([&] { (void)import(state); }).says("has the type I32"));
  for (std::string const& text :
       {std::string(), std::string("1234567"), std::string(20, '\xFF'), file.substr(0, 100)}) {
    memory.replace("/model", text);
    CHECK(thrown_by([&] { (void)import(state); }).kind == CheckpointFailure::damaged);
  }
  CHECK(thrown_by([&] { (void)checkpoint_test::import_parameters(state, "/nothing", {}, memory); }).kind ==
        CheckpointFailure::not_found);
  CHECK(state.elements() == PlainState(self, 1).elements());
}

TEST_CASE("import: all files that an index lists are one model, on any number of ranks") {
  MemoryFileSystem memory;
  write_sharded_model(memory);
  PlainState const nine(self, 9), one(self, 1);
  zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 1);
    auto const report = checkpoint_test::import_parameters(state, index_path, {}, memory);
    CHECK(report.parameters == 3);
    CHECK(report.unused.empty());
    for (std::uint32_t p = 0; p < 3; ++p) CHECK(state.elements().at({p, 0}) == nine.elements().at({p, 0}));
    CHECK(state.elements().at({0, 1}) == one.elements().at({0, 1}));
  });
  PlainState state(self, 1);
  state.parameters_[1].name = "z";
  CHECK(thrown_by([&] { (void)checkpoint_test::import_parameters(state, index_path, {}, memory); }).says("lacks 'z'"));
  CHECK(checkpoint_test::import_parameters(state, index_path, {.allow_missing = true}, memory).unused ==
        std::vector<std::string>{"b"});
  // A tensor that no line lists is there all the same.
  memory.replace(index_path, index_of({{"a", quote(first_file)}, {"c", quote(second_file)}}));
  PlainState listed(self, 1);
  CHECK(checkpoint_test::import_parameters(listed, index_path, {}, memory).parameters == 3);
  CHECK(memory.open_handles() == 0);
}

TEST_CASE("import: an index that leaves its folder or does not say the truth is refused, and nothing has changed") {
  MemoryFileSystem memory;
  write_sharded_model(memory);
  REQUIRE(memory.make_folder("/sub") == 0);
  for (std::string const copy : {"/sub/x.safetensors", "/.x.safetensors", "/x.bin"}) {
    memory.replace(copy, memory.content(std::string("/") + second_file));  // what must not be reached is there
  }
  PlainState state(self, 1);
  auto const refused = [&](std::string const& index) {
    memory.replace(index_path, index);
    auto thrown = thrown_by([&] { (void)checkpoint_test::import_parameters(state, index_path, {}, memory); });
    CHECK(state.elements() == PlainState(self, 1).elements());
    CHECK_FALSE(state.half_loaded);
    CHECK(memory.open_handles() == 0);
    return thrown;
  };
  auto const a = std::pair<std::string, std::string>("a", quote(first_file));
  std::vector<std::string> const files{quote("../x.safetensors"),
                                       quote("sub/../../x.safetensors"),
                                       quote("/sub/x.safetensors"),
                                       quote("sub/x.safetensors"),
                                       quote("./sub/x.safetensors"),
                                       quote(".x.safetensors"),
                                       quote("x.bin"),
                                       quote(""),
                                       quote("a\\u0000.safetensors"),
                                       quote(std::string(200, 'a') + ".safetensors"),
                                       "1",
                                       "null",
                                       "[" + quote(second_file) + "]"};
  for (auto const& file : files) {
    CAPTURE(file);
    auto const thrown = refused(index_of({a, {"b", file}, {"c", quote(second_file)}}));
    CHECK(thrown.kind == CheckpointFailure::damaged);
    CHECK(thrown.says("of its own folder"));
  }
  std::string const good = index_of({a, {"b", quote(second_file)}, {"c", quote(second_file)}});
  for (std::string const& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string(R"({"weight_map":{}})"),
        std::string(R"({"weight_map":[]})"), std::string(R"({"weight_map":"a"})"), good + "x",
        index_of({a, {"b", quote(second_file)}, {"b", quote(first_file)}}),  // a name twice
        index_of({a, {"b", quote(first_file)}, {"c", quote(second_file)}}),  // in another file
        index_of({a, {"c", quote(second_file)}, {"d", quote(first_file)}}),  // in none
        "{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"}) {
    CAPTURE(text.substr(0, 200));
    auto const thrown = refused(text);
    CHECK(thrown.kind == CheckpointFailure::damaged);
    CHECK(thrown.says(index_path));
  }
  auto const missing = refused(index_of({a, {"b", quote("model-00003-of-00003.safetensors")}}));
  CHECK(missing.kind == CheckpointFailure::not_found);
  CHECK(missing.says("model-00003-of-00003"));
  memory.replace("/third.safetensors", memory.content(std::string("/") + second_file));
  auto const twice = refused(index_of({a, {"b", quote(second_file)}, {"c", quote("third.safetensors")}}));
  CHECK(twice.kind == CheckpointFailure::damaged);
  CHECK(twice.says("in both"));
  memory.replace("/third.safetensors", "1234567");
  auto const cut = refused(index_of({a, {"b", quote("third.safetensors")}}));
  CHECK(cut.kind == CheckpointFailure::damaged);
  CHECK(cut.says("'/third.safetensors': invalid safetensors file: "));  // which of the files it is
  memory.replace(index_path, good);
  CHECK(checkpoint_test::import_parameters(state, index_path, {}, memory).parameters == 3);
}

TEST_CASE("import: a pipe, a link and a folder in the place of a file that an index lists are refused") {
  checkpoint_test::TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  zero::detail::write_new(system, folder / "model.safetensors.index.json", index_of({{"a", quote("x.safetensors")}}));
  PlainState state(self, 1);
  for (int kind = 0; kind < 3; ++kind) {
    auto const file = folder / "x.safetensors";
    if (kind == 0) REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    if (kind == 1) std::filesystem::create_symlink("/dev/zero", file);
    if (kind == 2) std::filesystem::create_directory(file);
    CHECK(thrown_by([&] {
            (void)checkpoint_test::import_parameters(state, folder / "model.safetensors.index.json", {}, system);
          }).kind == CheckpointFailure::input_output);
    std::filesystem::remove(file);
  }
}

TEST_CASE("import: links are followed in what a user names and in what an index lists, as a cache of models has them") {
  checkpoint_test::TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  PlainState state(self, 9);
  zero::CheckpointFolder const checkpoints(system, folder / "run");
  (void)checkpoint_test::save_checkpoint(state, checkpoints, {.tag = "a"});
  (void)checkpoint_test::consolidate(checkpoints, checkpoint_test::read_manifest(checkpoints, "a"),
                                     folder / "model.safetensors", {.max_shard_bytes = 30});
  std::filesystem::create_directories(folder / "cache");
  for (std::string const name : {"model.safetensors.index.json", first_file, second_file}) {
    std::filesystem::create_symlink("../" + name, folder / ("cache/" + name));
  }
  PlainState one(self, 1);
  auto const report =
      checkpoint_test::import_parameters(one, folder / "cache/model.safetensors.index.json", {}, system);
  CHECK(report.parameters == 3);
}

}  // namespace checkpoint_import_test
