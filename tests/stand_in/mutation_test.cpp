// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/mutation.hpp"

#include <doctest/doctest.h>

#include <vector>

TEST_CASE("mutation: without any one of the places that record events or wait for them there is a race") {
  std::vector<stand_in::Scenario> all;
  for (auto const& small : stand_in::orderings()) all.push_back({small});
  auto const train = [](stand_in::Small const& small) {
    stand_in::Seen seen;
    stand_in::train_small(small, seen);
  };
  stand_in::check_sites(train, all, 40, [](stand_in::Site const&) { return false; });
}
