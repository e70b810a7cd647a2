// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/processors.hpp>

#include <doctest/doctest.h>

#include <sched.h>

#include <cstddef>
#include <thread>
#include <vector>

namespace processors_test {

using zero::ProcessorSet;

namespace {

/// The processors that this process may run on.
std::vector<int> allowed() {
  cpu_set_t set;
  CPU_ZERO(&set);
  REQUIRE(::sched_getaffinity(0, sizeof set, &set) == 0);
  std::vector<int> found;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(static_cast<std::size_t>(i), &set)) found.push_back(i);
  }
  return found;
}

/// What a thread finds that is bound to \p processors.
struct Bound {
  ProcessorSet set;
  int usable = 0;
};

Bound bound_to(std::vector<int> const& processors) {
  Bound found;
  std::thread([&] {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int const p : processors) CPU_SET(static_cast<std::size_t>(p), &set);
    REQUIRE(::sched_setaffinity(0, sizeof set, &set) == 0);
    found = {ProcessorSet::of_this_thread(), zero::usable_processors()};
  }).join();
  return found;
}

}  // namespace

TEST_CASE("processors: a thread may use those that it is bound to, and no more") {
  auto const all = allowed();
  CHECK(ProcessorSet::of_this_thread().count() == static_cast<int>(all.size()));
  CHECK(zero::usable_processors() == static_cast<int>(all.size()));
  auto const first = bound_to({all.front()}), last = bound_to({all.back()}), whole = bound_to(all);
  CHECK(first.set.count() == 1);
  CHECK(first.usable == 1);
  CHECK(whole.usable == static_cast<int>(all.size()));
  CHECK(first.set.overlaps(whole.set));
  CHECK(whole.set.overlaps(last.set));
  CHECK(first.set.overlaps(last.set) == (all.size() == 1));
}

TEST_CASE("processors: a set of none overlaps no other") {
  ProcessorSet const none;
  CHECK(none.count() == 0);
  CHECK_FALSE(none.overlaps(ProcessorSet::of_this_thread()));
  CHECK_FALSE(none.overlaps(none));
}

}  // namespace processors_test
