// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;

namespace {

zero::SelfCommunicator self;

/// /model: the parameters of state 9, all of one type.
void write_model(MemoryFileSystem& memory, std::optional<zero::ElementType> type) {
  PlainState state(self, 9);
  zero::CheckpointFolder const folder(memory, "/run");
  (void)checkpoint_test::save_checkpoint(state, folder, {.tag = "a"});
  (void)checkpoint_test::consolidate(folder, checkpoint_test::read_manifest(folder, "a"), "/model", {.type = type});
}

std::vector<float> floats(std::vector<std::byte> const& bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

TEST_CASE("import: parameters come from a file of any floating type; states and steps stay as they are") {
  PlainState const nine(self, 9), one(self, 1);
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
        CHECK(std::memcmp(&got[i], &expected, sizeof expected) == 0);
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
