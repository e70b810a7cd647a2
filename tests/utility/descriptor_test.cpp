// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <zero/utility/descriptor.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace utility_descriptor_test {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
zero::Descriptor opened() { return zero::Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

TEST_CASE("descriptor: is closed once, by whoever owns it last") {
  CHECK_FALSE(zero::Descriptor());
  CHECK_FALSE(zero::Descriptor(-1));
  int fd = -1;
  {
    auto one = opened();
    REQUIRE(one);
    fd = one.get();
    zero::Descriptor const other(std::move(one));
    CHECK_FALSE(one);  // NOLINT(bugprone-use-after-move): none is left
    CHECK(other.get() == fd);
    CHECK(is_open(fd));
  }
  CHECK_FALSE(is_open(fd));

  auto one = opened();
  fd = one.get();
  one.close();
  one.close();
  CHECK_FALSE(one);
  CHECK_FALSE(is_open(fd));

  one = opened();
  fd = one.release();
  CHECK_FALSE(one);
  CHECK(is_open(fd));
  ::close(fd);
}

TEST_CASE("descriptor: an assignment closes the one before, and one to itself nothing") {
  auto one = opened(), other = opened();
  int const before = one.get(), after = other.get();
  one = std::move(other);
  CHECK(one.get() == after);
  CHECK_FALSE(other);  // NOLINT(bugprone-use-after-move): none is left
  CHECK_FALSE(is_open(before));
  auto& itself = one;
  one = std::move(itself);
  CHECK(one.get() == after);
  CHECK(is_open(after));
}

TEST_CASE("descriptor: a call that a signal interrupts is made anew, and one that fails otherwise is not") {
  int calls = 0;
  auto const interrupted_twice = [&] {
    errno = EINTR;
    return ++calls > 2 ? 7 : -1;
  };
  CHECK(zero::restart_interrupted(interrupted_twice) == 7);
  CHECK(calls == 3);
  calls = 0;
  auto const fails = [&]() -> long {
    ++calls;
    errno = ENOSPC;
    return -1;
  };
  CHECK(zero::restart_interrupted(fails) == -1);
  CHECK(errno == ENOSPC);
  CHECK(calls == 1);
}

}  // namespace
}  // namespace utility_descriptor_test
