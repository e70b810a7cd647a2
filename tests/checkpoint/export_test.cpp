// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/support.hpp"

#include <zero/checkpoint/detail/tensor_files.hpp>
#include <zero/checkpoint/export.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace checkpoint_export_test {

using checkpoint_test::TemporaryFolder;
using checkpoint_test::thrown_by;

namespace {

std::vector<zero::ExportedTensor> const tensors{{"b", {2, 3}}, {"a", {1}}};

/// As many elements as the tensor has, and the name of each that was asked for into \p asked.
auto reader(std::string& asked) {
  return [&asked](std::string const& name) {
    asked += name;
    return name == "a" ? std::vector<float>{7.0F} : std::vector<float>{0, 1, 2, 3, 4, 5};
  };
}

}  // namespace

TEST_CASE("export: the file holds every tensor, and other files are left alone") {
  TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  auto const path = folder / "m.safetensors";
  std::string asked;
  zero::write_new_file(system, folder / ".m.safetensors.tmp", "of a process that was killed");
  zero::export_safetensors(system, path, tensors, true, reader(asked));
  CHECK(asked == "ab");
  zero::detail::TensorFiles files(system, path);
  for (auto const& tensor : tensors) {
    auto const* const found = files.find(tensor.name);
    REQUIRE(found != nullptr);
    CHECK(found->entry.shape == tensor.shape);
    std::string ignored;
    auto const expected = reader(ignored)(tensor.name);
    std::vector<float> values(expected.size());
    files.read(*found, 0, std::as_writable_bytes(std::span(values)));
    CHECK(values == expected);
  }
  CHECK_FALSE(std::filesystem::exists(folder / ".m.safetensors.tmp"));

  auto const size = std::filesystem::file_size(path);
  auto const error = thrown_by([&] { zero::export_safetensors(system, path, {{"a", {1}}}, true, reader(asked)); });
  CHECK(error.kind == zero::CheckpointFailure::exists);
  CHECK(std::filesystem::file_size(path) == size);
  CHECK(thrown_by([&] { zero::write_new_file(system, path, "x"); }).kind == zero::CheckpointFailure::exists);
}

TEST_CASE("export: elements are rounded to the type of the file's tensor, and none becomes infinite") {
  TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  auto const path = folder / "m.safetensors";
  // Halfway between two values of bf16, and of fp16; the largest of fp16; what rounds to it; an infinity that was one.
  std::vector<float> values{1.00390625F, 1.00048828125F, 65504.0F, -65519.996F, INFINITY, 1.0F / 3.0F};
  auto const read = [&](std::string const&) { return values; };
  auto const written = [&](zero::ElementType type) {
    zero::export_safetensors(system, path, {{"a", {2, 3}, type}}, true, read, true);
    zero::detail::TensorFiles files(system, path);
    auto const* const found = files.find("a");
    REQUIRE(found != nullptr);
    CHECK(found->entry.type == (type == zero::ElementType::fp16 ? "F16" : "BF16"));
    std::vector<std::uint16_t> bits(values.size());
    REQUIRE(found->entry.bytes() == bits.size() * 2);
    files.read(*found, 0, std::as_writable_bytes(std::span(bits)));
    return bits;
  };
  using Bits = std::vector<std::uint16_t>;
  CHECK(written(zero::ElementType::bf16) == Bits{0x3F80, 0x3F80, 0x4780, 0xC780, 0x7F80, 0x3EAB});
  CHECK(written(zero::ElementType::fp16) == Bits{0x3C04, 0x3C00, 0x7BFF, 0xFBFF, 0x7C00, 0x3555});

  auto const size = std::filesystem::file_size(path);
  values[3] = -65520.0F;
  auto const error = thrown_by([&] { (void)written(zero::ElementType::fp16); });
  CHECK(error.kind == zero::CheckpointFailure::bad_request);
  CHECK(error.says("'a' has an element of -65520, which is infinite in fp16"));
  CHECK(std::filesystem::file_size(path) == size);
  CHECK_FALSE(std::filesystem::exists(folder / ".m.safetensors.tmp"));
  CHECK(written(zero::ElementType::bf16)[3] == 0xC780);
  values[3] = 3.3961775e38F;  // the largest of bf16 is 3.3895e38
  CHECK(thrown_by([&] { (void)written(zero::ElementType::bf16); }).kind == zero::CheckpointFailure::bad_request);
}

TEST_CASE("export: a rank that does not write asks for the same tensors in the same order") {
  TemporaryFolder const folder;
  std::string asked;
  zero::export_safetensors(zero::posix_file_system(), folder / "m.safetensors", tensors, false, reader(asked));
  CHECK(asked == "ab");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("export: a file that is to be replaced stays as it is until the new one is complete") {
  TemporaryFolder const folder;
  auto& system = zero::posix_file_system();
  auto const path = folder / "m.safetensors", text = folder / "config.json";
  std::string asked;
  zero::export_safetensors(system, path, {{"a", {1}}}, true, reader(asked));
  auto const size = std::filesystem::file_size(path);
  checkpoint_test::FaultyFileSystem faulty(system);
  faulty.only = "write";
  faulty.fail(1, ENOSPC, false);
  asked.clear();
  auto const error = thrown_by([&] { zero::export_safetensors(faulty, path, tensors, true, reader(asked), true); });
  CHECK(error.kind == zero::CheckpointFailure::no_space);
  CHECK(asked == "ab");  // the other ranks ask for all of them
  CHECK(std::filesystem::file_size(path) == size);
  CHECK_FALSE(std::filesystem::exists(folder / ".m.safetensors.tmp"));
  zero::export_safetensors(faulty, path, tensors, true, reader(asked), true);
  CHECK(std::filesystem::file_size(path) > size);
  zero::write_new_file(system, text, "one");
  zero::write_new_file(system, text, "two", true);
  CHECK(zero::detail::read_text(system, text, 100) == "two");
}

}  // namespace checkpoint_export_test
