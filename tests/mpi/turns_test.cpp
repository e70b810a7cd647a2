// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/mpi/detail/turns.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include <sched.h>

namespace mpi_turns_test {

namespace {

int given(zero::detail::Turns turns) {
  int count = 0;
  while (turns.give()) ++count;
  CHECK_FALSE(turns.give());  // and never again
  return count;
}

// The first processor that this thread may run on becomes the only one; what it was comes back at the end.
class OneProcessor {
 public:
  OneProcessor() {
    REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0);
    int first = 0;
    while (!CPU_ISSET(first, &before_)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
  }
  ~OneProcessor() { (void)::sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(OneProcessor const&) = delete;
  OneProcessor& operator=(OneProcessor const&) = delete;

 private:
  cpu_set_t before_;
};

}  // namespace

TEST_CASE("turns: no more than are allowed") {
  CHECK(given(zero::detail::Turns(0)) == 0);
  CHECK(given(zero::detail::Turns(7)) <= 7);
}

TEST_CASE("turns: none once another thread has taken the processor") {
  OneProcessor const one;  // which threads that begin now inherit
  std::atomic<bool> runs{false}, ends{false};
  std::thread other([&] {
    runs = true;
    while (!ends) {
    }
  });
  while (!runs) std::this_thread::yield();
  CHECK(given(zero::detail::Turns(1'000)) < 1'000);
  ends = true;
  other.join();
}

}  // namespace mpi_turns_test
