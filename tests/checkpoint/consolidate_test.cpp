// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/calls.hpp"
#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/plain_state.hpp"
#include "checkpoint/support.hpp"

#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace checkpoint_consolidate_test {

using checkpoint_test::data_of;
using checkpoint_test::FaultyFileSystem;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::PlainState;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::CheckpointFolder;

namespace {

zero::SelfCommunicator self;

/// A checkpoint by so many ranks, whose ranges fit together at every place.
zero::Manifest save(MemoryFileSystem& memory, int world, bool is_less = false) {
  zero::run_ranks(world, [&](zero::ThreadCommunicator& ranks) {
    PlainState state(ranks, 9);
    if (is_less) lessen(state);
    (void)checkpoint_test::save_checkpoint(state, CheckpointFolder(memory, "/run"), {.tag = "a", .chunk = 72});
  });
  return checkpoint_test::read_manifest(CheckpointFolder(memory, "/run"), "a");
}

std::string saved(std::uint32_t parameter, bool is_less = false) {
  PlainState state(self, 9);
  if (is_less) lessen(state);
  auto const& bytes = state.elements().at({parameter, 0});
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("consolidate: whole parameters come out of the files of any number of ranks") {
  for (int const world : {1, 2, 3, 7, 16}) {
    CAPTURE(world);
    MemoryFileSystem memory;
    auto const manifest = save(memory, world);
    auto const report = checkpoint_test::consolidate(CheckpointFolder(memory, "/run"), manifest, "/model.safetensors");
    CHECK(report.files == std::vector<std::string>{"/model.safetensors"});
    auto const file = memory.content("/model.safetensors");
    CHECK(report.bytes == file.size());
    CHECK(data_of(file, "a") == saved(0));
    CHECK(data_of(file, "b") == saved(1));
    CHECK(data_of(file, "c") == saved(2));
    CHECK(file.find(R"("shape":[5,3])") != std::string::npos);
    CHECK(file.find(R"("__metadata__":{"format":"pt"})") != std::string::npos);
    CHECK_NOTHROW(checkpoint_test::verify_checkpoint(memory, "/run/a", manifest));
  }
}

TEST_CASE("consolidate: another type is rounded as a cast rounds, and 16-bit types become each other") {
  MemoryFileSystem memory;
  auto const manifest = save(memory, 3, true);
  for (auto const type : {zero::ElementType::fp32, zero::ElementType::fp16, zero::ElementType::bf16}) {
    auto const name = "/" + std::string(zero::name(type));
    (void)checkpoint_test::consolidate(CheckpointFolder(memory, "/run"), manifest, name, {.type = type});
    auto const file = memory.content(name);
    auto const wide = saved(0, true);
    for (std::size_t i = 0; i < 15; ++i) {
      float value = 0;
      std::memcpy(&value, wide.data() + i * 4, 4);
      std::string expected(zero::element_size(type), '\0');
      zero::detail::with_element_type(type, [&]<class T>(T) {
        T const narrow = zero::narrow<T>(value);
        std::memcpy(expected.data(), &narrow, sizeof narrow);
      });
      CHECK(data_of(file, "a").substr(i * expected.size(), expected.size()) == expected);
    }
    CHECK(data_of(file, "c").size() == 11 * zero::element_size(type));
  }
}

TEST_CASE("consolidate: an element that is too large for the type is an error that names it, and leaves no file") {
  MemoryFileSystem memory;
  PlainState state(self, 9);
  lessen(state);
  float const large = 65520.0F;  // rounds to an infinity of fp16
  state.write({.parameter = 1, .kind = 0, .begin = 0, .count = 1}, 0, std::as_bytes(std::span(&large, 1)));
  CheckpointFolder const folder(memory, "/run");
  (void)checkpoint_test::save_checkpoint(state, folder, {.tag = "a"});
  auto const manifest = checkpoint_test::read_manifest(folder, "a");
  auto const before = memory.snapshot();
  auto const error = thrown_by(
      [&] { (void)checkpoint_test::consolidate(folder, manifest, "/out", {.type = zero::ElementType::fp16}); });
  CHECK(error.kind == CheckpointFailure::bad_request);
  CHECK(error.says("'b' has an element of 65520, which is infinite in fp16"));
  CHECK(memory.snapshot() == before);
  CHECK_NOTHROW(checkpoint_test::consolidate(folder, manifest, "/out", {.type = zero::ElementType::bf16}));
}

TEST_CASE("consolidate: several files are numbered and have an index") {
  MemoryFileSystem memory;
  auto const manifest = save(memory, 2);
  auto const report = checkpoint_test::consolidate(CheckpointFolder(memory, "/run"), manifest, "/model.safetensors",
                                                   {.max_shard_bytes = 30});
  REQUIRE(report.files == std::vector<std::string>{"/model-00001-of-00002.safetensors",
                                                   "/model-00002-of-00002.safetensors",
                                                   "/model.safetensors.index.json"});
  CHECK(data_of(memory.content(report.files[0]), "a") == saved(0));
  CHECK(data_of(memory.content(report.files[1]), "c") == saved(2));
  CHECK(memory.content(report.files[2]) ==
        R"({"metadata":{"total_size":86},"weight_map":{"a":"model-00001-of-00002.safetensors",)"
        R"("b":"model-00002-of-00002.safetensors","c":"model-00002-of-00002.safetensors"}})"
        "\n");
}

TEST_CASE("consolidate: any call that fails is a typed error and leaves no file") {
  MemoryFileSystem memory;
  auto const manifest = save(memory, 2);
  auto const before = memory.snapshot();
  FaultyFileSystem faulty(memory);
  bool succeeded = false;
  for (std::size_t k = 0; !succeeded; ++k) {
    CAPTURE(k);
    faulty.fail(k, EIO, false);
    try {
      (void)checkpoint_test::consolidate(CheckpointFolder(faulty, "/run"), manifest, "/model", {.max_shard_bytes = 30});
      succeeded = faulty.calls() <= k;
    } catch (zero::CheckpointError const&) {
      REQUIRE(memory.snapshot() == before);
      REQUIRE(memory.open_handles() == 0);
    }
    if (memory.snapshot() != before && !succeeded) {  // closing a file that was only read
      for (auto const* name :
           {"/model-00001-of-00002.safetensors", "/model-00002-of-00002.safetensors", "/model.index.json"}) {
        REQUIRE(memory.remove_file(name) == 0);
      }
    }
    REQUIRE(k < 500);
  }
  CHECK(thrown_by([&] {
          (void)checkpoint_test::consolidate(CheckpointFolder(memory, "/run"), manifest, "/model",
                                             {.max_shard_bytes = 30});
        }).kind == CheckpointFailure::exists);
}

TEST_CASE("verify: files of another save with the same content are told apart") {
  MemoryFileSystem memory;
  auto const manifest = save(memory, 1);
  auto other = manifest;
  other.nonce = "0123456789abcdef";
  CHECK(thrown_by([&] { checkpoint_test::verify_checkpoint(memory, "/run/a", other); }).says("of another save"));
  other = manifest;
  std::swap(other.files[1].kind, other.files[2].kind);
  CHECK(thrown_by([&] { checkpoint_test::verify_checkpoint(memory, "/run/a", other); }).says("of another save"));
}

}  // namespace checkpoint_consolidate_test
