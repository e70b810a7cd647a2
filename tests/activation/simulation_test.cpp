// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "chain.hpp"
#include "simulation/scripts.hpp"

#include <zero/communicators/simulation.hpp>
#include <zero/engine.hpp>
#include <zero/utility/split_mix.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace activation_simulation_test {

using activation_test::Chain;
using activation_test::ChainResult;
using zero::SimulationOptions;
using zero::activation::Recompute;
using zero::activation::SegmentPlan;

namespace {

using Engine = zero::Engine<zero::Partitioner<zero::Stage::parameters>, zero::Optimizer<zero::AdamW>,
                            zero::Precision<zero::FP32>, zero::SimulationBackend, zero::SimulationCommunicator>;

struct Setup {
  SegmentPlan plan{6, Recompute::block};
  bool in_host_memory = true;
  int world = 2;
  int prefetch_units = 1;
  int give_up_after = 0;
  int steps = 2;
};

/// What the first rank has after training, and what the simulation saw where \p seen is given.
ChainResult train(Setup const& setup, SimulationOptions options, zero::SimulationResult* seen = nullptr) {
  ChainResult result;
  options.ranks = setup.world;
  auto const simulated = zero::simulate(options, [&](zero::SimulationCommunicator& ranks) {
    auto const stream = ranks.make_stream("compute");
    zero::SimulationBackend backend({ranks.process()}, 1);
    Engine engine(ranks, activation_test::parameters(setup.plan.blocks()),
                  {.micro_batches_per_step = 3,
                   .bucket_elements = 1024,
                   .prefetch_units = zero::activation::prefetch_units(setup.plan, setup.prefetch_units),
                   .backend = {ranks.process()}});
    Chain<Engine, zero::SimulationBackend> chain(engine, setup.plan, stream, setup.in_host_memory ? &backend : nullptr);
    chain.set_rounds((3 + setup.world - 1) / setup.world);
    chain.give_up_after(setup.give_up_after);
    auto trained = chain.train(setup.steps);
    if (ranks.rank() == 0) result = std::move(trained);
  });
  if (seen != nullptr) *seen = simulated;
  return result;
}

Setup drawn(std::uint64_t seed) {
  std::uint64_t turn = 0;
  auto const below = [&](std::uint64_t n) { return zero::SplitMix64::at(seed, turn++) % n; };
  std::size_t const blocks = 1 + below(7);
  return {.plan = {blocks, below(4) == 0 ? Recompute::none : Recompute::block, 1 + below(6)},
          .in_host_memory = below(3) != 0,
          .world = 1 + static_cast<int>(below(3)),
          .prefetch_units = static_cast<int>(below(3)),
          .give_up_after = static_cast<int>(below(2) * below(4)),
          .steps = 1 + static_cast<int>(below(2))};
}

/// Seeds of the test below: more by ZERO_ACTIVATION_SEEDS.
std::uint64_t seeds() {
  char const* const asked = std::getenv("ZERO_ACTIVATION_SEEDS");  // NOLINT(concurrency-mt-unsafe): before any thread
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 100;
}

/// What the simulation saw of one way to use what is tested.
using Scenario = std::function<zero::SimulationResult(SimulationOptions)>;

Scenario training(Setup const& setup) {
  return [setup](SimulationOptions options) {
    zero::SimulationResult seen;
    (void)train(setup, options, &seen);
    return seen;
  };
}

/// Inputs that go after the last of \p keeps and \p takes was put on the stream.
Scenario ending(std::size_t keeps, std::size_t takes) {
  return [=](SimulationOptions options) {
    options.ranks = 1;
    return zero::simulate(options, [=](zero::SimulationCommunicator& ranks) {
      auto const stream = ranks.make_stream("compute");
      zero::SimulationBackend backend({ranks.process()}, 1);
      std::vector<float> x(8);
      {
        zero::activation::HostInputs<zero::SimulationBackend> inputs(backend, 4, 32);
        for (std::size_t i = 0; i < keeps; ++i) inputs.keep(i, x.data(), 32, stream);
        for (std::size_t i = 0; i < takes; ++i) inputs.take(3 - i, x.data(), stream);
      }
      stream.synchronize();
    });
  };
}

bool races(Scenario const& scenario, zero::OrderingSite const& without) {
  for (auto const order : {zero::SimulationOrder::latest, zero::SimulationOrder::earliest}) {
    try {
      (void)scenario({.seed = 1, .order = order, .without = without});
    } catch (zero::RaceError const&) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("activation races: stage 3 with recomputation is clean with any seed, and has the bits of a chain without") {
  for (std::uint64_t seed = 0; seed < seeds(); ++seed) {
    auto const setup = drawn(seed);
    CAPTURE(seed);
    auto const result = train(setup, {.seed = seed, .order = simulation_test::orders[seed % 4]});
    auto plain = setup;
    plain.plan = {setup.plan.blocks(), Recompute::none};
    plain.in_host_memory = false;
    plain.give_up_after = 0;  // what is given up leaves nothing behind
    REQUIRE(result.parameters == train(plain, {.seed = seed}).parameters);
  }
}

TEST_CASE("activation races: every wait that is taken out is found") {
  std::vector<Scenario> const all{training({}),
                                  training({.give_up_after = 2}),
                                  training({.give_up_after = 4}),
                                  training({.plan = {9, Recompute::block, 4}}),
                                  ending(1, 0),
                                  ending(4, 0),
                                  ending(4, 1)};
  std::vector<zero::OrderingSite> sites;
  for (auto const& scenario : all) {
    for (auto const& site : scenario({}).sites) {
      bool const of_inputs = std::string_view(site.at.file).find("zero/activation/") != std::string_view::npos;
      if (of_inputs && std::find(sites.begin(), sites.end(), site) == sites.end()) sites.push_back(site);
    }
  }
  CHECK(sites.size() == 13);
  for (auto const& site : sites) {
    INFO(site.describe());
    CHECK(std::any_of(all.begin(), all.end(), [&](Scenario const& scenario) { return races(scenario, site); }));
  }
}

TEST_CASE("host inputs: all but the last two lie in pinned memory, two on the device") {
  (void)zero::simulate({.ranks = 1}, [](zero::SimulationCommunicator& ranks) {
    zero::SimulationBackend backend({ranks.process()}, 1);
    zero::activation::HostInputs<zero::SimulationBackend> const inputs(backend, 5, 4096);
    CHECK(inputs.host_bytes() == 3 * 4096);
    CHECK(inputs.device_bytes() == 2 * 4096);
    CHECK(backend.bytes_in_use(zero::MemoryKind::pinned) == inputs.host_bytes());
    CHECK(backend.bytes_in_use(zero::MemoryKind::device) == inputs.device_bytes());
    zero::activation::HostInputs<zero::SimulationBackend> const one(backend, 1, 4096), none(backend, 0, 4096);
    CHECK(one.host_bytes() == 0);
    CHECK(one.device_bytes() == 4096);
    CHECK(none.device_bytes() == 0);
  });
}

TEST_CASE("host inputs: an input out of turn, and one that has no room, are refused") {
  zero::HostBackend backend({.threads = 1}, 1);
  zero::activation::HostInputs<zero::HostBackend> inputs(backend, 4, 8);
  float values[2] = {1.0F, 2.0F};
  CHECK_THROWS_AS(inputs.take(0, values, {}), zero::SequenceError);
  for (std::size_t i = 0; i < 4; ++i) {
    values[0] = static_cast<float>(i);
    inputs.keep(i, values, 8, {});
  }
  CHECK_THROWS_AS(inputs.keep(4, values, 8, {}), zero::SequenceError);
  CHECK_THROWS_AS(inputs.keep(0, values, 12, {}), zero::SequenceError);
  CHECK_THROWS_AS(inputs.take(1, values, {}), zero::SequenceError);
  for (std::size_t i = 4; i-- > 0;) {
    inputs.take(i, values, {});
    CHECK(values[0] == static_cast<float>(i));
    CHECK(values[1] == 2.0F);
    CHECK_THROWS_AS(inputs.take(i, values, {}), zero::SequenceError);
  }
}

}  // namespace activation_simulation_test
