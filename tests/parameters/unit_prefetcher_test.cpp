// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/error.hpp>
#include <zero/parameters/unit_prefetcher.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace parameters_unit_prefetcher_test {

using zero::detail::UnitPrefetcher;
using zero::detail::UnitTable;
using Blocks = std::vector<std::uint32_t>;

namespace {

/// Units 0, 10, 20, ... of which each has one block of its own number.
UnitPrefetcher prefetcher(std::vector<std::size_t> const& elements, int units_ahead, std::size_t tied = SIZE_MAX) {
  UnitTable units(elements.size());
  for (std::size_t i = 0; i < elements.size(); ++i) {
    units.add(static_cast<int>(10 * i), static_cast<std::uint32_t>(10 * i), elements[i], i != tied);
  }
  return {std::move(units), units_ahead};
}
UnitPrefetcher of_five(int units_ahead, std::size_t tied = SIZE_MAX) {
  return prefetcher({1, 1, 1, 1, 1}, units_ahead, tied);
}

/// What is gathered ahead as \p unit is used, where there is room for \p room blocks.
Blocks ahead_of(UnitPrefetcher& prefetcher, int unit, std::size_t room = SIZE_MAX) {
  Blocks blocks;
  bool full = false;
  prefetcher.use(unit, [&](std::uint32_t block) {
    CHECK(!full);
    full = blocks.size() == room;
    if (!full) blocks.push_back(block);
    return !full;
  });
  return blocks;
}

}  // namespace

TEST_CASE("unit prefetcher: units follow in the direction that they are used in") {
  auto one = of_five(1);
  for (int unit : {0, 10, 20, 30}) CHECK(ahead_of(one, unit) == Blocks{static_cast<std::uint32_t>(unit) + 10});
  CHECK(ahead_of(one, 40).empty());
  CHECK(ahead_of(one, 30) == Blocks{20});
  CHECK(ahead_of(one, 20) == Blocks{10});
  CHECK(ahead_of(one, 30) == Blocks{40});
}

TEST_CASE("unit prefetcher: as many units as are asked for, up to the end of the model") {
  auto three = of_five(3);
  CHECK(ahead_of(three, 0) == Blocks{10, 20, 30});
  CHECK(ahead_of(three, 10) == Blocks{20, 30, 40});
  CHECK(ahead_of(three, 20) == Blocks{30, 40});
  auto none = of_five(0);
  CHECK(ahead_of(none, 0).empty());
  CHECK_THROWS_AS(of_five(-1), zero::ConfigurationError);
}

TEST_CASE("unit prefetcher: backward ends before the first unit") {
  auto three = of_five(3);
  (void)ahead_of(three, 40);
  CHECK(ahead_of(three, 30) == Blocks{20, 10});
  CHECK(ahead_of(three, 10).empty());
}

TEST_CASE("unit prefetcher: the same unit again gathers nothing more") {
  auto one = of_five(1);
  CHECK(ahead_of(one, 20) == Blocks{30});
  CHECK(ahead_of(one, 20).empty());
  CHECK(ahead_of(one, 10) == Blocks{});  // backward
  CHECK(ahead_of(one, 20) == Blocks{30});
}

TEST_CASE("unit prefetcher: it stops where there is no room") {
  auto three = of_five(3);
  CHECK(ahead_of(three, 0, 2) == Blocks{10, 20});
  CHECK(ahead_of(three, 10, 0).empty());
}

TEST_CASE("unit prefetcher: tied parameters end a prefetch, and have no direction") {
  auto three = of_five(3, 2);
  CHECK(ahead_of(three, 0) == Blocks{10});
  CHECK(ahead_of(three, 30) == Blocks{40});
  CHECK(ahead_of(three, 20).empty());
  CHECK(ahead_of(three, 40).empty());  // forward still: the use of unit 20 says nothing
  CHECK(ahead_of(three, 30).empty());  // 20 is next
}

TEST_CASE("unit prefetcher: a direction that is forgotten is forward again") {
  auto one = of_five(1);
  (void)ahead_of(one, 40);
  one.forget_direction();
  CHECK(ahead_of(one, 20) == Blocks{30});
}

TEST_CASE("unit prefetcher: a pass needs the largest row of units that are held and prefetched, and the tied ones") {
  CHECK(prefetcher({5, 20, 10, 40, 30}, 0).working_set().elements() == 40);
  CHECK(prefetcher({5, 20, 10, 40, 30}, 1).working_set().elements() == 70);
  CHECK(prefetcher({50, 20, 10, 40, 5}, 1).working_set().elements() == 70);
  CHECK(prefetcher({5, 20, 10, 40, 30}, 1, 2).working_set().elements() == 80);
  CHECK(prefetcher({500, 20, 10, 40, 30}, 1, 0).working_set().elements() == 570);  // the largest one counts once
  CHECK(prefetcher({7, 7, 7, 7, 7}, 2).working_set().elements() == 21);
  CHECK(prefetcher({5, 20, 10, 40, 30}, 9).working_set().elements() == 105);  // all there are
  CHECK(prefetcher({5, 20, 10, 40, 30}, 2).elements() == 105);
  CHECK(prefetcher({}, 2).working_set().elements() == 0);
}

}  // namespace parameters_unit_prefetcher_test
