// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Steps of engines over NCCL: their bits, and what they wait for.

#include "stand_in/machine.hpp"
#include "stand_in/nccl_rigs.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>

using stand_in::Seen;
using stand_in::Small;
using zero::SimulationOrder;

namespace {

constexpr std::array orders = {SimulationOrder::earliest, SimulationOrder::latest, SimulationOrder::random,
                               SimulationOrder::starved};
constexpr std::array sharded = {zero::Stage::gradients, zero::Stage::parameters};

Seen train(Small const& small, SimulationOrder order = SimulationOrder::random, std::uint64_t seed = 1) {
  stand_in::start({.seed = seed, .order = order, .devices = small.world});
  auto seen = stand_in::first_of(stand_in::train_small_over_nccl(small));
  stand_in::finish();
  CHECK(stand_in::held() == stand_in::Held{});
  return seen;
}

Seen train_over_threads(Small const& small) {
  stand_in::start();
  Seen seen;
  stand_in::train_small(small, seen);
  return seen;
}

}  // namespace

TEST_CASE("nccl steps: none after the first waits on the host or allocates, on one, two and three ranks") {
  for (auto stage : sharded) {
    for (int world : {1, 2, 3}) {
      auto const seen = train({.stage = stage, .world = world, .steps = 6, .waits = false});
      for (std::size_t step = 1; step < seen.steps.size(); ++step) {
        auto const &before = seen.steps[step - 1], &after = seen.steps[step];
        CHECK(after.synchronizations == before.synchronizations);
        CHECK(after.blocking_copies == before.blocking_copies);
        CHECK(after.allocations == before.allocations);
        CHECK(after.launches > before.launches);
      }
    }
  }
}

TEST_CASE("nccl steps: the values are those of ranks in threads, in every order, with and without offload") {
  for (auto stage : sharded) {
    for (bool offload : {false, true}) {
      for (int world : {1, 2, 3}) {
        Small const small{.stage = stage, .offload = offload, .world = world, .steps = 4, .accumulation = 2};
        auto const expected = train_over_threads(small);
        for (auto order : orders) CHECK(train(small, order).values == expected.values);
      }
    }
  }
}

TEST_CASE("nccl steps: a captured step gives the values of an ordinary one, on one, two and three ranks") {
  for (auto stage : sharded) {
    for (int world : {1, 2, 3}) {
      Small small{.stage = stage, .world = world, .steps = 6, .accumulation = 2};
      auto const expected = train(small);
      small.captured_from = 1;
      for (auto order : orders) {
        for (bool waits : {false, true}) {
          small.waits = waits, small.alternates = !waits;
          CHECK(train(small, order).values == expected.values);
        }
      }
    }
  }
}

TEST_CASE("nccl steps: a replayed step launches one graph and waits for nothing") {
  auto const seen = train({.world = 2, .steps = 6, .waits = false, .captured_from = 1});
  for (std::size_t step = 2; step < seen.steps.size(); ++step) {
    CHECK(seen.steps[step].launches == seen.steps[step - 1].launches + 1);
    CHECK(seen.steps[step].synchronizations == seen.steps[step - 1].synchronizations);
    CHECK(seen.steps[step].allocations == seen.steps[step - 1].allocations);
  }
}
