// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/thread_pool.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace thread_pool_test {

TEST_CASE("thread pool: every task runs once, on any number of threads") {
  for (int const threads : {-1, 0, 1, 2, 3, 8}) {
    zero::ThreadPool pool{threads};
    CHECK(pool.size() == (threads < 1 ? 1 : threads));
    for (std::size_t const tasks : {0U, 1U, 2U, 7U, 1000U}) {
      std::vector<std::atomic<int>> runs(tasks);
      pool.parallel_for(tasks, [&](std::size_t task) { ++runs[task]; });
      for (auto const& count : runs) CHECK(count == 1);
    }
  }
}

TEST_CASE("thread pool: a loop has ended when parallel_for returns, so the next may read what it wrote") {
  zero::ThreadPool pool{4};
  std::vector<int> values(64, 0);
  for (int round = 0; round < 500; ++round) {
    pool.parallel_for(values.size(), [&](std::size_t task) { ++values[(task * 7 + 3) % values.size()]; });
  }
  for (int const value : values) CHECK(value == 500);
}

// A thread that wakes up late comes into a later loop, or between two: it may not run a task that is not there any
// more.
TEST_CASE("thread pool: short loops, one after the other, on more threads than have a task") {
  zero::ThreadPool pool{8};
  for (std::size_t loop = 0; loop < 5000; ++loop) {
    std::size_t const tasks = 2 + loop % 5;
    std::vector<int> runs(tasks, 0);
    auto const count = [&](std::size_t task) {
      ++runs.at(task);
      if (loop % 7 == 6) throw std::runtime_error("every seventh loop");
    };
    if (loop % 7 == 6) {
      CHECK_THROWS_WITH_AS(pool.parallel_for(tasks, count), "every seventh loop", std::runtime_error);
      for (int const times : runs) CHECK(times <= 1);
    } else {
      pool.parallel_for(tasks, count);
      CHECK(runs == std::vector<int>(tasks, 1));
    }
  }
}

TEST_CASE("thread pool: a pool of one runs in the calling thread") {
  zero::ThreadPool pool{1};
  std::set<std::thread::id> threads;
  pool.parallel_for(5, [&](std::size_t) { threads.insert(std::this_thread::get_id()); });
  CHECK(threads == std::set{std::this_thread::get_id()});
}

TEST_CASE("thread pool: what a task throws reaches the caller, and the pool stays usable") {
  for (int const threads : {1, 3}) {
    zero::ThreadPool pool{threads};
    auto const failing = [](std::size_t task) {
      if (task == 5) throw std::runtime_error("task 5");
    };
    CHECK_THROWS_WITH_AS(pool.parallel_for(20, failing), "task 5", std::runtime_error);
    std::atomic<int> runs{0};
    pool.parallel_for(20, [&](std::size_t) { ++runs; });
    CHECK(runs == 20);
  }
}

}  // namespace thread_pool_test
