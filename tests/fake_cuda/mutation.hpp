// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/machine.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <vector>

namespace fake_cuda {

/// A training, and how many devices it needs.
struct Scenario {
  Small small{};
  int devices = 1;
};

/// All that an engine does to order its work, in worlds of one and two.
[[nodiscard]] inline std::vector<Small> orderings() {
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
    all.push_back({.stage = stage, .steps = 0, .gives_up = true, .waits = false, .streams = 3});
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

/// Throws what goes wrong.
using TrainSmall = void (*)(Small const&);

/// Runs a scenario, without what is recorded or waited for at one place; whether it races, or cannot go on.
[[nodiscard]] inline bool races(TrainSmall train, Scenario const& scenario, Site const* without) {
  Options options{.seed = 1, .order = zero::SimulationOrder::latest, .devices = scenario.devices, .keeps_sites = true};
  if (without != nullptr) options.without = *without;
  start(options);
  try {
    train(scenario.small);
    finish();
  } catch (std::exception const&) {
    return true;
  }
  return !violations().empty();
}

/// Takes out every place that records events or waits for them in turn: at least one scenario must race then. \p spared
/// places need not be of use to the order. There are more than \p least, or several of them are taken for one, as where
/// a function that waits for its callers has another name than the fake runtime knows.
inline void check_sites(TrainSmall train, std::vector<Scenario> const& all, std::size_t least,
                        bool (*spared)(Site const&)) {
  std::vector<Site> sites;
  for (auto const& scenario : all) {
    CHECK(!races(train, scenario, nullptr));
    for (auto const& site : fake_cuda::sites()) {
      if (!spared(site) && std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
    }
  }
  MESSAGE("places: " << sites.size());
  CHECK(sites.size() > least);
  for (auto const& site : sites) {
    INFO(describe(site));
    CHECK(std::any_of(all.begin(), all.end(), [&](Scenario const& s) { return races(train, s, &site); }));
  }
}

}  // namespace fake_cuda
