// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/mutation.hpp"
#include "stand_in/nccl_rigs.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

TEST_CASE("nccl mutation: without any one of the places that record events or wait for them there is a race") {
  std::vector<stand_in::Scenario> all;
  for (auto const& small : stand_in::orderings()) all.push_back({small, small.world});
  auto const train = [](stand_in::Small const& small) {
    (void)stand_in::first_of(stand_in::train_small_over_nccl(small));
  };
  // The watchdog's events order nothing: without them a rank that does not come is not noticed.
  auto const spared = [](stand_in::Site const& site) {
    return stand_in::describe(site).find("NcclWatchdog") != std::string::npos;
  };
  stand_in::check_sites(train, all, 40, spared);
}
