// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/faulty_file_system.hpp"
#include "checkpoint/memory_file_system.hpp"
#include "checkpoint/support.hpp"

#include <zero/checkpoint/detail/file.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>

namespace checkpoint_file_test {

using checkpoint_test::FaultyFileSystem;
using checkpoint_test::Loss;
using checkpoint_test::MemoryFileSystem;
using checkpoint_test::TemporaryFolder;
using checkpoint_test::thrown_by;
using zero::CheckpointFailure;
using zero::detail::File;

namespace {

// The contract that both file systems are held to, so that what is proven on one holds on the other.
void check_contract(zero::FileSystem& system, std::string const& root) {
  zero::detail::write_new(system, root + "/a", "first");
  CHECK(zero::detail::read_text(system, root + "/a", 5) == "first");
  CHECK(thrown_by([&] { (void)zero::detail::read_text(system, root + "/a", 4); }).kind == CheckpointFailure::damaged);
  CHECK(thrown_by([&] { zero::detail::write_new(system, root + "/a", "x"); }).kind == CheckpointFailure::exists);
  CHECK(thrown_by([&] { (void)File::open(system, root + "/b"); }).kind == CheckpointFailure::not_found);
  CHECK(thrown_by([&] { (void)File::open(system, root); }).kind == CheckpointFailure::input_output);

  CHECK(system.make_folder(root + "/folder") == 0);
  CHECK(system.make_folder(root + "/folder") == -EEXIST);
  zero::detail::write_new(system, root + "/folder/c", std::string(250'000, 'c'));
  CHECK(zero::detail::read_text(system, root + "/folder/c", 1'000'000) == std::string(250'000, 'c'));
  CHECK(system.sync_folder(root + "/folder") == 0);
  CHECK(system.sync_folder(root + "/nowhere") == -ENOENT);
  CHECK(system.remove_folder(root + "/folder") == -ENOTEMPTY);
  CHECK(system.remove_file(root + "/nowhere") == -ENOENT);

  zero::detail::write_new(system, root + "/d", "second");
  CHECK(system.rename_new(root + "/d", root + "/a") == -EEXIST);
  CHECK(system.exchange(root + "/d", root + "/a") == 0);
  CHECK(zero::detail::read_text(system, root + "/a", 10) == "second");
  CHECK(system.rename_over(root + "/d", root + "/a") == 0);
  CHECK(zero::detail::read_text(system, root + "/a", 10) == "first");
  CHECK(system.rename_new(root + "/folder", root + "/moved") == 0);
  CHECK(system.rename_new(root + "/folder", root + "/again") == -ENOENT);
  std::vector<std::string> names;
  CHECK(system.list(root, names) == 0);
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"a", "moved"});
  CHECK(system.list(root + "/nowhere", names) == -ENOENT);
  CHECK(system.remove_file(root + "/moved/c") == 0);
  CHECK(system.remove_folder(root + "/moved") == 0);

  auto const file = File::open(system, root + "/a");
  std::vector<std::byte> bytes(3);
  file.read(bytes, 2);
  CHECK(std::string(reinterpret_cast<char const*>(bytes.data()), 3) == "rst");
  CHECK(thrown_by([&] { file.read(bytes, 3); }).says("too early"));
}

}  // namespace

TEST_CASE("file: the system of the machine and the one in memory keep one contract") {
  TemporaryFolder const folder;
  check_contract(zero::posix_file_system(), folder.path());
  MemoryFileSystem memory;
  REQUIRE(memory.make_folder("/root") == 0);
  check_contract(memory, "/root");
  CHECK(memory.open_handles() == 0);
}

TEST_CASE("file: a pipe, a link and a folder in the place of a file are refused, and nothing waits for them") {
  TemporaryFolder const folder;
  zero::detail::write_new(zero::posix_file_system(), folder / "file", "text");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink(folder / "file", folder / "link");
  std::filesystem::create_directory(folder / "folder");
  for (auto const* name : {"pipe", "link", "folder"}) {
    CAPTURE(name);
    CHECK(thrown_by([&] { (void)zero::detail::read_text(zero::posix_file_system(), folder / name, 100); }).kind ==
          CheckpointFailure::input_output);
  }
}

TEST_CASE("file: an interrupted call is repeated, but not for ever; full disks and quotas are told from other errors") {
  MemoryFileSystem memory;
  FaultyFileSystem faulty(memory);
  faulty.only = "write";
  faulty.fail(0, EINTR, false);
  CHECK_NOTHROW(zero::detail::write_new(faulty, "/a", "text"));
  CHECK(memory.content("/a") == "text");
  faulty.fail(0, EINTR, true);
  CHECK(thrown_by([&] { zero::detail::write_new(faulty, "/b", "text"); }).kind == CheckpointFailure::input_output);
  CHECK(faulty.calls() == 100);
  for (int const error : {ENOSPC, EDQUOT}) {
    for (auto const* name : {"write", "sync", "close", "create"}) {
      CAPTURE(name);
      faulty.only = name;
      faulty.fail(0, error, false);
      auto const thrown = thrown_by([&] { zero::detail::write_new(faulty, "/c" + std::string(name), "text"); });
      CHECK(thrown.kind == CheckpointFailure::no_space);
      CHECK(thrown.says(name));
      faulty.heal();
      (void)memory.remove_file("/c" + std::string(name));
    }
  }
  CHECK(memory.open_handles() == 0);
}

TEST_CASE("file: what was not synced is lost, in every way that a power failure has") {
  auto const survivor = [](bool synced, bool folder_synced, Loss loss, unsigned seed = 0) {
    MemoryFileSystem memory;
    auto file = File::create(memory, "/a");
    file.write("text");
    if (synced) file.sync();
    file.close();
    if (folder_synced) CHECK(memory.sync_folder("/") == 0);
    memory.crash(loss, seed);
    std::vector<std::string> names;
    CHECK(memory.list("/", names) == 0);
    return names.empty() ? std::string("none") : memory.content("/a");
  };
  for (auto const loss : {Loss::everything, Loss::contents, Loss::some}) CHECK(survivor(true, true, loss) == "text");
  CHECK(survivor(true, false, Loss::everything) == "none");
  CHECK(survivor(false, true, Loss::everything).empty());
  CHECK(survivor(false, false, Loss::contents).empty());
  std::vector<std::string> seen;
  for (unsigned seed = 0; seed < 200; ++seed) seen.push_back(survivor(false, false, Loss::some, seed));
  for (std::string const& state :
       {std::string("none"), std::string(), std::string("te"), std::string("text"), std::string("te\0\0", 4)}) {
    CHECK(std::find(seen.begin(), seen.end(), state) != seen.end());
  }
}

}  // namespace checkpoint_file_test
