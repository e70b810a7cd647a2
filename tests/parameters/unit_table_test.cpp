// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <zero/layout/unit_table.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace parameters_unit_table_test {

using zero::detail::UnitTable;

namespace {

std::vector<std::uint32_t> blocks_of(UnitTable::Unit const& unit) { return {unit.blocks.begin(), unit.blocks.end()}; }

}  // namespace

TEST_CASE("unit table: units are in the order of their numbers, with their blocks in the order of entry") {
  UnitTable units(5);
  units.add(7, 0, 100, true);
  units.add(3, 1, 10, true);
  units.add(7, 2, 200, false);
  units.add(5, 3, 400, true);
  units.add(7, 4, 1, true);
  REQUIRE(units.size() == 3);
  CHECK(units[0].number == 3);
  CHECK(units[1].number == 5);
  CHECK(units[2].number == 7);
  CHECK(blocks_of(units[0]) == std::vector<std::uint32_t>{1});
  CHECK(blocks_of(units[2]) == std::vector<std::uint32_t>{0, 2, 4});
  CHECK(units[2].elements == 301);
  CHECK(units[1].in_order);
  CHECK(!units[2].in_order);  // because of one of its blocks
  CHECK(units.elements() == 711);
}

TEST_CASE("unit table: a number that is not there is found before the next larger one") {
  UnitTable units(3);
  CHECK(units.find(0) == 0);
  for (int unit : {2, 4, 8}) units.add(unit, static_cast<std::uint32_t>(unit), 1, true);
  std::vector<std::size_t> const expected{0, 0, 0, 1, 1, 2, 2, 2, 2, 3};
  for (std::size_t number = 0; number < expected.size(); ++number) {
    CHECK(units.find(static_cast<int>(number)) == expected[number]);
  }
}

TEST_CASE("unit table: what is kept whole is left out; a tied parameter is out of order") {
  std::vector<zero::ParameterSpec> const specs{
      {.name = "embedding", .shape = {300}, .contributions = 2, .unit = 0},
      {.name = "bias", .shape = {10}, .unit = 1},
      {.name = "layer", .shape = {600}, .unit = 1},
      {.name = "large", .shape = {1500}, .unit = 2},
  };
  zero::FlatLayout const layout(
      specs, {.stage = zero::Stage::parameters, .bucket_elements = 1024, .persistence_threshold = 100});
  auto const units = UnitTable::of_sharded(layout, specs);
  REQUIRE(units.size() == 3);
  CHECK(units.elements() == 384 + 640 + 1536);
  CHECK(blocks_of(units[1]) == std::vector{layout.extents()[2].block});
  zero::FlatLayout const whole(specs, {.stage = zero::Stage::gradients});
  CHECK(UnitTable::of_sharded(whole, specs).size() == 0);
}

}  // namespace parameters_unit_table_test
