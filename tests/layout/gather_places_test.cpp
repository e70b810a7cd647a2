// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "reference/training.hpp"

#include <zero/layout/gather_places.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace layout_gather_places_test {

using zero::detail::GatherPlaces;
using zero::detail::UnitTable;

namespace {

struct Range {
  std::size_t begin, end;
};

/// Units of one to three blocks, some of them tied.
struct Model {
  explicit Model(std::uint64_t seed) : units(20) {
    auto const below = [&](std::size_t n) { return static_cast<std::size_t>(reference::mix(seed++) % n); };
    std::size_t const count = 1 + below(20);
    for (std::size_t u = 0; u < count; ++u) {
      bool const tied = below(6) == 0;
      if (!tied) row.push_back(u);
      for (std::size_t b = 1 + below(3); b > 0; --b) {
        sizes.push_back(1 + below(1000));
        units.add(static_cast<int>(u), static_cast<std::uint32_t>(sizes.size() - 1), sizes.back(), !tied);
      }
    }
  }
  /// Elements of the largest \p window units in a row, and of all tied ones.
  [[nodiscard]] std::size_t largest(std::size_t window) const {
    std::size_t most = 0;
    for (std::size_t first = 0; first < row.size(); ++first) {
      std::size_t sum = 0;
      for (std::size_t i = first; i < std::min(first + window, row.size()); ++i) sum += units[row[i]].elements;
      most = std::max(most, sum);
    }
    for (std::size_t u = 0; u < units.size(); ++u) most += units[u].in_order ? 0 : units[u].elements;
    return most;
  }
  /// Whether \p window units in a row from the \p first on and all tied ones lie beside each other.
  [[nodiscard]] bool fit(GatherPlaces const& places, std::size_t first, std::size_t window) const {
    std::vector<Range> taken;
    auto const add = [&](UnitTable::Unit const& unit) {
      for (auto block : unit.blocks) taken.push_back({places[block], places[block] + sizes[block]});
    };
    for (std::size_t i = first; i < std::min(first + window, row.size()); ++i) add(units[row[i]]);
    for (std::size_t u = 0; u < units.size(); ++u) {
      if (!units[u].in_order) add(units[u]);
    }
    std::sort(taken.begin(), taken.end(), [](Range const& a, Range const& b) { return a.begin < b.begin; });
    for (std::size_t i = 1; i < taken.size(); ++i) {
      if (taken[i - 1].end > taken[i].begin) return false;
    }
    return taken.empty() || taken.back().end <= places.elements();
  }

  UnitTable units;
  std::vector<std::size_t> sizes;  // of blocks
  std::vector<std::size_t> row;    // units that are not tied
};

}  // namespace

TEST_CASE("gather places: units in a row and all tied ones lie beside each other, wherever the row begins") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Model const model(seed << 32);
    for (std::size_t window = 1; window <= 5; ++window) {
      GatherPlaces const places(model.units, window);
      INFO("seed " << seed << " window " << window);
      for (std::size_t first = 0; first < model.row.size(); ++first) CHECK(model.fit(places, first, window));
      CHECK(places.elements() >= model.largest(window));
      if (window <= 2) CHECK(places.elements() == model.largest(window));
      CHECK(places.elements() <= model.units.elements());
    }
  }
}

TEST_CASE("gather places: units of one size need no more than the row itself, however long") {
  UnitTable units(12);
  for (std::uint32_t u = 0; u < 12; ++u) units.add(static_cast<int>(u), u, 70, true);
  for (std::size_t window = 1; window <= 14; ++window) {
    CHECK(GatherPlaces(units, window).elements() == 70 * std::min<std::size_t>(window, 12));
  }
}

TEST_CASE("gather places: what has no place is told so") {
  UnitTable units(1);
  units.add(0, 2, 70, true);
  GatherPlaces const places(units, 2);
  CHECK(places[1] == GatherPlaces::none);
  CHECK(places[2] == 0);
  CHECK(places[3] == GatherPlaces::none);
  CHECK(GatherPlaces(70)[2] == GatherPlaces::none);
  CHECK(GatherPlaces(70).elements() == 70);
}

}  // namespace layout_gather_places_test
