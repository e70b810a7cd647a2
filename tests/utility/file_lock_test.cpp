// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/utility/file_lock.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

namespace utility_file_lock_test {

TEST_CASE("file lock: one opening of a file or folder has it, until that is closed") {
  namespace fs = std::filesystem;
  auto const folder = fs::temp_directory_path() / ("zero lock " + std::to_string(::getpid()));
  fs::create_directories(folder);
  auto const file = folder / "file";
  for (auto const& [path, flags] : {std::pair(folder, O_RDONLY | O_DIRECTORY), std::pair(file, O_RDWR | O_CREAT)}) {
    int const one = ::open(path.c_str(), flags | O_CLOEXEC, 0666),
              other = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    REQUIRE(one >= 0);
    REQUIRE(other >= 0);
    CHECK(zero::try_lock_file(one));
    CHECK(zero::try_lock_file(one));  // it has it already
    CHECK_FALSE(zero::try_lock_file(other));
    ::close(one);
    CHECK(zero::try_lock_file(other));
    ::close(other);
  }
  CHECK(zero::try_lock_file(-1));  // what cannot be locked keeps nobody out
  fs::remove_all(folder);
}

}  // namespace utility_file_lock_test
