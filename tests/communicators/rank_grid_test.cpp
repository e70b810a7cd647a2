// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/rank_grid.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace communicators_rank_grid_test {

using zero::RankGrid;
using Ranks = std::vector<int>;

namespace {

template <class F>
std::string refusal(F const& f) {
  try {
    f();
  } catch (zero::ConfigurationError const& error) {
    return error.what();
  }
  return "";
}
bool contains(std::string const& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("rank grid: the last axis is the innermost") {
  RankGrid const grid({{"pipeline", 2}, {"data", 3}, {"expert", 2}});
  CHECK(grid.size() == 12);
  CHECK(grid.size("data") == 3);
  CHECK(grid.position(7, "pipeline") == 1);
  CHECK(grid.position(7, "data") == 0);
  CHECK(grid.position(7, "expert") == 1);
  CHECK(grid.describe() == "pipeline 2 x data 3 x expert 2");
}

TEST_CASE("rank grid: a group has the ranks that differ along its axes only") {
  RankGrid const grid({{"pipeline", 2}, {"data", 3}, {"expert", 2}});
  CHECK(grid.members(7, {"expert"}) == Ranks{6, 7});
  CHECK(grid.members(7, {"data"}) == Ranks{7, 9, 11});
  CHECK(grid.members(7, {"pipeline"}) == Ranks{1, 7});
  CHECK(grid.members(7, {"expert", "data"}) == Ranks{6, 7, 8, 9, 10, 11});
  CHECK(grid.members(7, {}) == Ranks{7});
  CHECK(grid.members(7, {"pipeline", "data", "expert"}).size() == 12);
  for (int rank = 0; rank < 12; ++rank) {  // colors part the ranks as groups do
    for (int other = 0; other < 12; ++other) {
      bool const together = grid.members(rank, {"data"}) == grid.members(other, {"data"});
      CHECK((grid.color(rank, {"data"}) == grid.color(other, {"data"})) == together);
    }
  }
}

TEST_CASE("rank grid: the table has a line for each rank") {
  CHECK(RankGrid({{"node", 2}, {"gpu", 2}}).table() ==
        "rank  node  gpu\n"
        "   0     0    0\n"
        "   1     0    1\n"
        "   2     1    0\n"
        "   3     1    1\n");
}

TEST_CASE("rank grid: axes that cannot be, and names that are not there, are refused") {
  CHECK(contains(refusal([] { RankGrid({}); }), "no axes"));
  CHECK(contains(refusal([] { RankGrid({{"", 2}}); }), "has no name"));
  CHECK(contains(refusal([] { RankGrid({{"data", 0}}); }), "'data' has size 0"));
  CHECK(contains(refusal([] { RankGrid({{"data", -1}}); }), "at least 1"));
  CHECK(contains(refusal([] { RankGrid({{"data", 2}, {"data", 2}}); }), "'data' is there twice"));
  CHECK(contains(refusal([] { RankGrid({{"a", 1 << 20}, {"b", 1 << 20}, {"c", 1 << 30}}); }), "more than 2^20 ranks"));
  RankGrid const grid({{"data", 2}});
  CHECK(contains(refusal([&] { (void)grid.position(0, "dat"); }), "no axis 'dat': the axes are data 2"));
  CHECK(contains(refusal([&] { (void)grid.members(0, {"expert"}); }), "no axis 'expert'"));
  CHECK(contains(refusal([&] { (void)grid.position(2, "data"); }), "no rank 2: the 2 ranks"));
  CHECK(contains(refusal([&] { (void)grid.color(-1, {"data"}); }), "no rank -1"));
  CHECK(contains(refusal([&] { (void)grid.members(0, {"data", "data"}); }), "'data' twice"));
}

}  // namespace communicators_rank_grid_test
