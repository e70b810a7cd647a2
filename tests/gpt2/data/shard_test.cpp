// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "files.hpp"

#include <gpt2/data/shard.hpp>

#include <sys/resource.h>

#include <array>
#include <exception>
#include <memory>
#include <system_error>

namespace gpt2_data_shard_test {

using namespace data_test;
using gpt2::OpenFiles;
using gpt2::Shard;
using gpt2::Token;

namespace {

std::unique_ptr<Shard> open(std::string const& path, std::size_t vocabulary = 1 << 20) {
  auto shard = std::make_unique<Shard>(std::make_shared<OpenFiles>(), path);
  shard->set_vocabulary(vocabulary);
  return shard;
}

std::vector<Token> read(Shard const& shard, std::uint64_t first, std::size_t count) {
  std::vector<Token> tokens(count);
  shard.read(first, tokens);
  return tokens;
}

std::string complaint_of(std::string const& path) {
  auto text = complaint([&] { (void)open(path); });
  CHECK(says(text, path + ": "));
  return text;
}

}  // namespace

TEST_CASE("gpt2 shard: the same tokens in each of the formats") {
  Folder const folder;
  auto const tokens = counting(1000, 500);
  auto const bare = folder.write("bare.bin", bytes_of(tokens, 2));
  auto const gpt2 = folder.write("gpt2.bin", gpt2_shard(tokens));
  auto const llama = folder.write("llama.bin", header(20240801, 7, 500) + bytes_of(tokens, 4));
  for (auto const& path : {bare, gpt2, llama}) {
    CAPTURE(path);
    CHECK(open(path)->tokens() == 500);
  }
  std::vector<Token> const expected{1250, 1251, 1252};
  CHECK(read(*open(bare), 250, 3) == expected);
  CHECK(read(*open(gpt2), 250, 3) == expected);
  CHECK(read(*open(llama), 250, 3) == expected);
  CHECK(read(*open(llama), 497, 3) == std::vector<Token>{1497, 1498, 1499});
  CHECK(open(bare)->layout().usual_vocabulary == 50257);
  CHECK(open(gpt2)->layout().usual_vocabulary == 50257);
  CHECK(open(llama)->layout().usual_vocabulary == 128256);
  auto const wide = folder.write("wide.bin", header(20240801, 7, 2) + bytes_of({70000, 0x01020304}, 4));
  CHECK(read(*open(wide, std::size_t{1} << 30), 0, 2) == std::vector<Token>{70000, 0x01020304});
}

TEST_CASE(
    "gpt2 shard: more shards than a process may have files are read in turns, and one that may have none says so") {
  Folder const folder;
  auto const tokens = counting(1000, 500);
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) paths.push_back(folder.write(std::to_string(i) + ".bin", gpt2_shard(tokens)));
  int const next = ::dup(0);  // the lowest number that a file may get
  REQUIRE(next > 0);
  ::close(next);
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  auto const allow = [&](int files) {
    rlimit const few{static_cast<rlim_t>(next + files), before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  };
  auto const files = std::make_shared<OpenFiles>();
  std::vector<std::unique_ptr<Shard>> shards;
  allow(3);
  auto const failure = complaint<std::exception>([&] {
    for (auto const& path : paths) shards.push_back(std::make_unique<Shard>(files, path));
  });
  allow(0);
  std::exception_ptr refusal;
  try {
    (void)open(paths[0]);
  } catch (std::system_error const&) {
    refusal = std::current_exception();
  }
  // Read below: to check a call's object, the undefined-behaviour sanitizer opens a pipe.
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  REQUIRE(refusal);
  auto const none = complaint<std::system_error>([&] { std::rethrow_exception(refusal); });
  CHECK(failure == "nothing");
  CHECK(says(none, "cannot be opened; let the process open more files (ulimit -n)"));
  CHECK(shards.size() == 20);
}

TEST_CASE("gpt2 shard: files that are no shards are refused with one line") {
  Folder const folder;
  auto const tokens = counting(1000, 500);
  CHECK(says(complaint_of(folder / "none.bin"), "no such file"));
  CHECK(says(complaint_of(folder.path()), "is a folder"));
  CHECK(says(complaint_of("/dev/null"), "is not a regular file"));
  CHECK(says(complaint_of(folder.write("empty.bin", "")), "is empty"));
  CHECK(says(complaint_of(folder.write("odd.bin", "abc")), "odd number of bytes"));
  auto whole = gpt2_shard(tokens);
  CHECK(says(complaint_of(folder.write("cut.bin", whole.substr(0, whole.size() - 2))), "but 499: it is cut off"));
  CHECK(says(complaint_of(folder.write("short.bin", whole.substr(0, 600))), "it is cut off"));
  CHECK(says(complaint_of(folder.write("long.bin", whole + "ab")), "the 500 tokens that its header names, but 501"));
  CHECK(says(complaint_of(folder.write("version.bin", header(20240520, 2, 0))), "of version 2; write version 1"));
  CHECK(says(complaint_of(folder.write("version7.bin", header(20240801, 1, 0))), "of version 1; write version 7"));
  auto swapped = whole;
  for (std::size_t i = 0; i < 12; i += 4)
    std::swap(swapped[i], swapped[i + 3]), std::swap(swapped[i + 1], swapped[i + 2]);
  CHECK(says(complaint_of(folder.write("swapped.bin", swapped)), "another byte order"));
  std::vector<std::uint32_t> large = tokens;
  for (std::size_t i = 0; i < large.size(); i += 3) large[i] += 65536;
  CHECK(says(complaint_of(folder.write("bare32.bin", bytes_of(large, 4))), "tokens of 32 bits without a header"));
  CHECK(says(complaint_of(folder.write("small32.bin", bytes_of(tokens, 4))), "tokens of 32 bits without a header"));
  std::vector<std::uint32_t> bits;  // of a vocabulary of two
  for (std::uint32_t i = 0; i < 200; ++i) bits.push_back(i * i % 7 % 2);
  for (auto const& odd : {std::string(400, '\0'), bytes_of(bits, 2)}) {
    CHECK(open(folder.write("odd.bin", odd))->tokens() == 200);
  }
  auto const secret = folder.write("secret.bin", whole);
  fs::permissions(secret, fs::perms::none);
  if (::geteuid() != 0) CHECK(says(complaint_of(secret), "cannot be opened: Permission denied"));
}

TEST_CASE("gpt2 shard: a token beyond the vocabulary is found when it is read, with its place") {
  Folder const folder;
  auto tokens = counting(0, 1000);
  tokens[700] = 50257;
  auto const path = folder.write("a.bin", gpt2_shard(tokens));
  auto const shard = open(path, 50257);
  CHECK(read(*shard, 0, 700).back() == 699);
  auto const text = complaint([&] { (void)read(*shard, 650, 100); });
  CHECK(says(text, path + ": token 50257 at position 700 is beyond the vocabulary of 50257"));
}

TEST_CASE("gpt2 shard: one that shrinks while it is read is an error, and no signal") {
  Folder const folder;
  auto const path = folder.write("a.bin", bytes_of(counting(0, 50000), 2));
  auto const shard = open(path);
  CHECK(read(*shard, 40000, 2) == std::vector<Token>{40000, 40001});
  fs::resize_file(path, 60000);
  CHECK(read(*shard, 20000, 2) == std::vector<Token>{20000, 20001});
  auto const text = complaint([&] { (void)read(*shard, 29990, 20); });
  CHECK(says(text, path + ": ends at byte 60000, but had 100000 when the run began: it has been cut off"));
}

TEST_CASE("gpt2 shard: files are closed and opened again where there are many, and must be what they were") {
  Folder const folder;
  auto const files = std::make_shared<OpenFiles>(2);
  std::vector<std::unique_ptr<Shard>> shards;
  for (std::uint32_t i = 0; i < 5; ++i) {
    auto const path = folder.write(std::to_string(i) + ".bin", bytes_of(counting(100 * i, 64), 2));
    shards.push_back(std::make_unique<Shard>(files, path));
    shards.back()->set_vocabulary(1000);
  }
  auto const open_now = [&] {
    std::size_t count = 0;
    for (auto const& entry : fs::directory_iterator("/proc/self/fd")) {
      std::error_code error;
      count += says(fs::read_symlink(entry.path(), error).string(), folder.path()) ? 1U : 0U;
    }
    return count;
  };
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(read(*shards[i], round, 1).front() == 100 * i + round);
    CHECK(open_now() == 2);
  }
  folder.write("0.bin", "four");
  CHECK(says(complaint([&] { (void)read(*shards[0], 0, 1); }), "has 4 bytes, but had 128 when the run began"));
  fs::remove(folder / "1.bin");
  CHECK(says(complaint([&] { (void)read(*shards[1], 0, 1); }), "cannot be opened: No such file"));
}

TEST_CASE("gpt2 shard: a read that the system cuts short or breaks off goes on, and one that fails is named") {
  Folder const folder;
  auto const path = folder.write("a.bin", bytes_of(counting(0, 1000), 2));
  int calls = 0;
  bool fails = false;
  auto const files = std::make_shared<OpenFiles>(8, [&](int file, void* to, std::size_t bytes, off_t at) -> ssize_t {
    errno = fails ? EIO : EINTR;
    if (fails || ++calls % 2 == 0) return -1;
    return ::pread(file, to, std::min<std::size_t>(bytes, 7), at);
  });
  Shard shard(files, path);
  shard.set_vocabulary(1000);
  CHECK(read(shard, 300, 100).back() == 399);
  fails = true;
  CHECK(says(complaint([&] { (void)read(shard, 300, 1); }), path + ": cannot be read at byte 600: Input/output error"));
}

}  // namespace gpt2_data_shard_test
