// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "files.hpp"

#include <gpt2/data/batch_loader.hpp>
#include <gpt2/data/training_feed.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace gpt2_data_batch_loader_test {

using namespace data_test;
using gpt2::BatchLoader;
using gpt2::BatchRequest;
using gpt2::Split;
using gpt2::Token;
using gpt2::TokenBatch;
using gpt2::TrainingData;
using gpt2::TrainingFeed;

namespace {

constexpr std::size_t context = 8, tokens = 3 * context;

TokenBatch expected(TrainingData const& data, BatchRequest const& request) {
  TokenBatch batch{std::vector<Token>(tokens), std::vector<Token>(tokens)};
  data.sample(request, batch.tokens, batch.targets);
  return batch;
}

BatchRequest nth(std::uint64_t n) { return {Split::train, 0, {1337, n, 0}}; }

std::size_t threads_now() {
  std::size_t count = 0;
  for (auto const& entry : fs::directory_iterator("/proc/self/task")) count += entry.is_directory() ? 1U : 0U;
  return count;
}

/// How many there are where none of a test's own is left.
std::size_t threads_before() {
  std::thread([] {}).join();  // sanitizers start one of their own with the first thread
  auto least = threads_now();
  for (int i = 0; i < 10; ++i) {  // one that was joined may still be listed
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    least = std::min(least, threads_now());
  }
  return least;
}

/// Whether there are no more than so many, once the system has cleared away those that have been joined.
bool are_back_at(std::size_t count) {
  for (int i = 0; i < 1000 && threads_now() > count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return threads_now() == count;
}

/// Reads that wait until they are let go.
struct Gate {
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;
  std::size_t waiting = 0;

  ssize_t read(int file, void* to, std::size_t bytes, off_t at) {
    std::unique_lock lock(mutex);
    ++waiting;
    changed.notify_all();
    changed.wait(lock, [&] { return open; });
    --waiting;
    return ::pread(file, to, bytes, at);
  }
  void set(bool to) {
    std::lock_guard const lock(mutex);
    open = to;
    changed.notify_all();
  }
  void wait_for(std::size_t readers) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return waiting >= readers; });
  }
};

}  // namespace

TEST_CASE("gpt2 loader: the batches of the plan, in its order, with any number of workers and of batches ahead") {
  Folder const folder;
  auto const data =
      TrainingData::open({.data = folder.write("a.bin", gpt2_shard(counting(0, 3000)))}, {.context = context});
  auto const before = threads_before();
  for (std::size_t workers = 0; workers <= 4; ++workers) {
    for (std::size_t prefetch = 0; prefetch <= 8; ++prefetch) {
      CAPTURE(workers);
      CAPTURE(prefetch);
      BatchLoader loader(data, {workers, prefetch}, tokens, 40, nth);
      TokenBatch batch;
      for (std::uint64_t n = 0; n < 40; ++n) {
        loader.take(batch);
        auto const right = expected(data, nth(n));
        CHECK(batch.tokens == right.tokens);
        CHECK(batch.targets == right.targets);
      }
      CHECK(loader.taken() == 40);
      CHECK_THROWS_AS(loader.take(batch), std::logic_error);
    }
  }
  CHECK(are_back_at(before));
}

TEST_CASE("gpt2 loader: so many batches are loaded ahead, and no more") {
  Folder const folder;
  std::atomic<std::uint64_t> asked{0};
  auto const data =
      TrainingData::open({.data = folder.write("a.bin", gpt2_shard(counting(0, 3000)))}, {.context = context});
  std::mutex mutex;
  std::condition_variable changed;
  BatchLoader loader(data, {3, 4}, tokens, 100, [&](std::uint64_t n) {
    std::lock_guard const lock(mutex);
    ++asked;
    changed.notify_all();
    return nth(n);
  });
  auto const wait_for = [&](std::uint64_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return asked >= count; });
  };
  wait_for(4);
  TokenBatch batch;
  loader.take(batch);
  wait_for(5);
  loader.take(batch);
  wait_for(6);
  CHECK(asked <= 7);  // while one is waited for, it is one more
}

TEST_CASE("gpt2 loader: several workers read at once") {
  Folder const folder;
  Gate gate;
  auto const data = TrainingData::open(
      {.data = folder.write("a.bin", gpt2_shard(counting(0, 3000)))}, {.context = context}, {},
      [&](int file, void* to, std::size_t bytes, off_t at) { return gate.read(file, to, bytes, at); });
  gate.set(false);
  BatchLoader loader(data, {4, 8}, tokens, 100, nth);
  gate.wait_for(4);  // hangs where they read one after the other
  gate.set(true);
  TokenBatch batch;
  loader.take(batch);
  CHECK(batch.tokens == expected(data, nth(0)).tokens);
}

TEST_CASE("gpt2 loader: what a worker throws comes out where its batch is asked for") {
  Folder const folder;
  auto const path = folder.write("a.bin", gpt2_shard(counting(0, 3000)));
  for (std::size_t const workers : {0U, 1U, 3U}) {
    CAPTURE(workers);
    auto const data = TrainingData::open({.data = path}, {.context = context, .vocabulary = 2690});
    std::uint64_t bad = 0;
    for (; bad < 1000; ++bad) {
      if (complaint([&] { (void)expected(data, nth(bad)); }) != "nothing") break;
    }
    REQUIRE(bad > 0);
    REQUIRE(bad < 1000);
    BatchLoader loader(data, {workers, 8}, tokens, 1000, nth);
    TokenBatch batch;
    for (std::uint64_t n = 0; n < bad; ++n) loader.take(batch);
    for (int again = 0; again < 2; ++again) {
      CHECK(says(complaint([&] { loader.take(batch); }), "is beyond the vocabulary of 2690"));
    }
  }
}

TEST_CASE("gpt2 loader: its end waits for reads under way and leaves no thread behind") {
  Folder const folder;
  Gate gate;
  auto const data = TrainingData::open(
      {.data = folder.write("a.bin", gpt2_shard(counting(0, 3000)))}, {.context = context}, {},
      [&](int file, void* to, std::size_t bytes, off_t at) { return gate.read(file, to, bytes, at); });
  auto const before = threads_before();
  gate.set(false);
  std::thread opener;
  {
    BatchLoader loader(data, {2, 4}, tokens, 100, nth);
    gate.wait_for(2);
    opener = std::thread([&] { gate.set(true); });
  }
  opener.join();
  CHECK(are_back_at(before));
}

TEST_CASE("gpt2 loader: a rank is fed with its micro-batches from wherever a run begins") {
  Folder const folder;
  auto const data =
      TrainingData::open({.data = folder.write("a.bin", gpt2_shard(counting(0, 3000)))}, {.context = context});
  for (std::uint64_t ranks = 1; ranks <= 4; ++ranks) {
    for (std::uint64_t rank = 0; rank < ranks; ++rank) {
      std::uint64_t const micro_batches = 3;
      TrainingFeed feed(data, {2, 3}, tokens, {rank, ranks, micro_batches, 20});
      TokenBatch batch;
      for (std::uint64_t const step : {0U, 1U, 2U, 7U, 8U, 9U, 3U, 19U, 25U, 26U}) {  // jumps, and steps beyond the run
        for (std::uint64_t index = rank; index < micro_batches; index += ranks) {
          feed.take({1337, step, index}, batch);
          CHECK(batch.tokens == expected(data, {Split::train, 0, {1337, step, index}}).tokens);
        }
      }
      if (rank >= micro_batches) continue;
      feed.take({4711, 0, rank}, batch);
      CHECK(batch.tokens == expected(data, {Split::train, 0, {4711, 0, rank}}).tokens);
    }
  }
}

}  // namespace gpt2_data_batch_loader_test
