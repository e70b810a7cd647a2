// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "zero-tokenize/pipeline.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace text_pipeline_test {

namespace {

// Runs over the numbers below `count`; what happens at some of them.
struct Outcome {
  std::vector<int> taken;
  std::string error;
  int most_ahead = 0;
};

Outcome run(std::size_t threads, int count, int bad_read, int bad_work, int bad_take) {
  Outcome outcome;
  int next = 0;
  std::atomic<int> read{0}, taken{0}, most{0};
  try {
    zero_tokenize::Pipeline<int, int>::run(
        threads,
        [&]() -> std::optional<int> {
          if (next == bad_read) throw std::runtime_error("read " + std::to_string(next));
          if (next == count) return std::nullopt;
          int const ahead = ++read - taken;
          if (ahead > most) most = ahead;
          return next++;
        },
        [&] {
          return [&](int piece) {
            if (piece >= bad_work && bad_work >= 0) throw std::runtime_error("work " + std::to_string(piece));
            return 2 * piece;
          };
        },
        [&](int result) {
          if (result == 2 * bad_take) throw std::runtime_error("take " + std::to_string(result / 2));
          ++taken;
          outcome.taken.push_back(result);
        });
  } catch (std::runtime_error const& error) {
    outcome.error = error.what();
  }
  outcome.most_ahead = most;
  return outcome;
}

}  // namespace

TEST_CASE("pipeline: results are taken in order, and no more are held than twice the threads") {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    auto const outcome = run(threads, 500, -1, -1, -1);
    REQUIRE(outcome.taken.size() == 500);
    for (int i = 0; i < 500; ++i) REQUIRE(outcome.taken[static_cast<std::size_t>(i)] == 2 * i);
    CHECK(outcome.error.empty());
    CHECK(outcome.most_ahead <= 2 * static_cast<int>(threads));
    CHECK(run(threads, 0, -1, -1, -1).taken.empty());
  }
}

TEST_CASE("pipeline: the first error in order ends it, and all before it is taken") {
  for (std::size_t threads = 1; threads <= 4; ++threads) {
    for (int const at : {0, 1, 17, 99}) {
      for (auto const& outcome :
           {run(threads, 100, at, -1, -1), run(threads, 100, -1, at, -1), run(threads, 100, -1, -1, at)}) {
        CHECK(outcome.error.substr(5) == std::to_string(at));
        CHECK(outcome.taken.size() == static_cast<std::size_t>(at));
      }
    }
  }
}

}  // namespace text_pipeline_test
