// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "stand_in/machine.hpp"
#include "stand_in/rigs.hpp"

#include <zero/error.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using stand_in::Site;
using stand_in::Small;

namespace {

std::vector<Small> scenarios() {
  std::vector<Small> all;
  for (auto stage : {zero::Stage::gradients, zero::Stage::parameters}) {
    for (bool offload : {false, true}) {
      for (int world : {1, 2}) {
        for (bool adopted : {false, true}) {
          Small small{.stage = stage, .offload = offload, .adopted = adopted, .world = world, .steps = 3};
          small.evaluates = true, small.waits = false, small.streams = 3, small.accumulation = 2;
          all.push_back(small);
        }
      }
    }
    Small delayed{.stage = stage, .offload = true, .delayed_update = true, .steps = 3, .evaluates = true};
    delayed.waits = false, delayed.streams = 3, delayed.accumulation = 2;
    all.push_back(delayed);
    Small shared{.stage = stage, .offload = true, .device_share = 0.5, .world = 2, .steps = 3, .waits = false};
    shared.bucket_elements = 4096, shared.streams = 3, shared.accumulation = 2;
    all.push_back(shared);
    all.push_back({.stage = stage, .gives_up = true, .waits = false, .streams = 3});
    all.push_back({.stage = stage, .offload = true, .waits = false, .bucket_elements = 4096, .accumulation = 2});
    all.push_back(
        {.stage = stage, .adopted = true, .steps = 5, .waits = false, .captured_from = 1, .alternates = true});
    all.push_back({.stage = stage, .steps = 20, .waits = false});
    all.push_back({.stage = stage, .steps = 4, .evaluates = true, .waits = false, .captured_from = 1});
    all.push_back({.stage = stage, .steps = 4, .evaluates_before_capture = true, .waits = false, .captured_from = 3});
    all.push_back({.stage = stage, .steps = 4, .evaluates_after_capture = true, .waits = false, .captured_from = 3});
  }
  return all;
}

// Runs a scenario, without what is recorded or waited for at one place; whether it races, or cannot go on.
bool races(Small const& small, Site const* without) {
  stand_in::Options options{.seed = 1, .order = zero::SimulationOrder::latest, .keeps_sites = true};
  if (without != nullptr) options.without = *without;
  stand_in::start(options);
  stand_in::Seen seen;
  try {
    stand_in::train_small(small, seen);
    stand_in::finish();
  } catch (std::exception const&) {
    return true;
  }
  return !stand_in::found().empty();
}

}  // namespace

TEST_CASE("mutation: without any one of the places that record events or wait for them there is a race") {
  auto const all = scenarios();
  std::vector<Site> sites;
  for (auto const& small : all) {
    CHECK(!races(small, nullptr));
    for (auto const& site : stand_in::sites()) {
      if (std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
    }
  }
  MESSAGE("places: " << sites.size());
  CHECK(sites.size() > 40);
  for (auto const& site : sites) {
    INFO(stand_in::describe(site));
    CHECK(std::any_of(all.begin(), all.end(), [&](Small const& small) { return races(small, &site); }));
  }
}
