// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <schedule/recorded.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <optional>
#include <string>

namespace schedule_recorded_test {

namespace {

double ulp(double x) { return std::nextafter(std::abs(x), HUGE_VAL) - std::abs(x); }

// The rate that a column holds.
double rate(zero::schedule::Rates const& rates, std::size_t column) {
  return column == 0 ? rates.lr : column == 1 ? rates.momentum.value() : rates.beta2.value();
}

void check_case(recorded::Case const& it, std::vector<std::uint64_t> const& steps) {
  CAPTURE(it.head);
  REQUIRE(!it.used.empty());
  CHECK(it.schedule.at(0).momentum.has_value() == (it.used.size() > 1));
  double const largest = *std::max_element(it.used[0].begin(), it.used[0].end());
  for (std::size_t column = 0; column < it.used.size(); ++column) {
    REQUIRE(it.used[column].size() == steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      double const theirs = it.used[column][i], ours = rate(it.schedule.at(steps[i]), column);
      CAPTURE(steps[i]);
      CAPTURE(theirs);
      CHECK(std::abs(ours - theirs) <= (it.source == "loop" ? 1e-12 * largest : 4 * ulp(theirs)));
    }
  }
}

}  // namespace

TEST_CASE("schedule: what DeepSpeed's and PyTorch's schedulers make of the same settings") {
  std::ifstream in(RECORDED_RATES);
  REQUIRE(in);
  auto const file = recorded::read(in);
  REQUIRE(file.steps.size() > 100);
  for (std::uint64_t step = 0; step < 50; ++step) REQUIRE(file.steps[step] == step);
  std::size_t of_deepspeed = 0, closed = 0, loops = 0;
  for (auto const& it : file.cases) {
    of_deepspeed += it.source == "deepspeed" ? 1U : 0U;
    closed += it.source == "closed" ? 1U : 0U;
    loops += it.source == "loop" ? 1U : 0U;
    check_case(it, file.steps);
  }
  CHECK(of_deepspeed > 50);
  CHECK(closed > 20);
  CHECK(loops > 10);
}

}  // namespace schedule_recorded_test
