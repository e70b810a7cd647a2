// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "chain.hpp"

#include <zero/communicators/thread.hpp>
#include <zero/engine.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace activation_gathers_test {

using activation_test::Chain;
using activation_test::ChainResult;
using zero::Stage;
using zero::activation::Recompute;
using zero::activation::SegmentPlan;

namespace {

using Engine = zero::Engine<zero::AnyStage, zero::Optimizer<zero::AdamW>, zero::Precision<zero::FP32>,
                            zero::HostBackend, zero::ThreadCommunicator>;

struct Setup {
  Stage stage = Stage::parameters;
  int world = 2, micro_batches = 2;
  SegmentPlan plan{6, Recompute::none};
  int prefetch_units = 1;
};

/// What every rank has after two steps.
std::vector<ChainResult> train(Setup const& setup) {
  std::vector<ChainResult> results(static_cast<std::size_t>(setup.world));
  zero::run_ranks(setup.world, [&](zero::ThreadCommunicator& ranks) {
    Engine engine(setup.stage, ranks, activation_test::parameters(setup.plan.blocks()),
                  {.micro_batches_per_step = setup.micro_batches,
                   .allow_idle_ranks = true,
                   .bucket_elements = 1024,
                   .prefetch_units = zero::activation::prefetch_units(setup.plan, setup.prefetch_units)});
    Chain<Engine, zero::HostBackend> chain(engine, setup.plan, {});
    chain.set_rounds((setup.micro_batches + setup.world - 1) / setup.world);
    results[static_cast<std::size_t>(ranks.rank())] = chain.train(2);
  });
  return results;
}

// Elements of the blocks that the other ranks' slices bring, for one gather of all blocks, and of the two others.
std::uint64_t elements_gathered(ChainResult const& result) { return result.traffic.gathered / sizeof(float); }

}  // namespace

TEST_CASE("gathers: every stage, world and segment gives the bits that a chain has which keeps all") {
  auto const expected = train({.stage = Stage::none, .world = 1, .micro_batches = 3}).front().parameters;
  for (auto const stage : {Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters}) {
    for (int const world : {1, 2, 3, 4}) {
      for (auto const kept : {std::size_t{1}, std::size_t{2}, std::size_t{3}, SegmentPlan::all}) {
        CAPTURE(static_cast<int>(stage));
        CAPTURE(world);
        CAPTURE(kept);
        auto const results =
            train({.stage = stage, .world = world, .micro_batches = 3, .plan = {6, Recompute::block, kept}});
        for (auto const& result : results) {
          CHECK(result.parameters == expected);
          // One order on all ranks, also on those that have no micro-batch.
          CHECK(result.record.order == results.front().record.order);
          CHECK(result.record.gathers == results.front().record.gathers);
        }
      }
    }
  }
}

TEST_CASE("gathers: stage 3 stays at three times the parameters with blocks, and at most four with longer segments") {
  for (int const world : {2, 3}) {
    for (int const prefetch : {0, 1, 2}) {
      CAPTURE(world);
      CAPTURE(prefetch);
      auto const of = [&](SegmentPlan const& plan) {
        return train({.world = world, .micro_batches = world, .plan = plan, .prefetch_units = prefetch}).front();
      };
      auto const none = of({6, Recompute::none}), block = of({6, Recompute::block});
      CHECK(block.traffic == none.traffic);
      CHECK(none.traffic.gathered > 0);
      // Per step and micro-batch: what a gather of all blocks brings a rank, here as often as gathers of blocks are.
      for (auto const kept : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
        SegmentPlan const plan(6, Recompute::block, kept);
        CAPTURE(kept);
        auto const longer = of(plan);
        double const once = static_cast<double>(elements_gathered(none)) / 2.0;  // forward and backward
        double const times = static_cast<double>(elements_gathered(longer)) / once;
        CHECK(times > 2.0);
        CHECK(times <= 3.0);  // and once for the gradients
        CHECK(longer.traffic.gradients == none.traffic.gradients);
        CHECK(longer.record.gathers == 2 * (6 + plan.backward_calls().size()));
      }
    }
  }
}

TEST_CASE("gathers: what was kept and computed again is recorded") {
  auto const record = train({.world = 1, .micro_batches = 1, .plan = {6, Recompute::block, 2}}).front().record;
  CHECK(record.forward == 12);  // two steps
  CHECK(record.backward == 12);
  CHECK(record.kept_inputs == 4);
  CHECK(record.computed_again == 8);
  CHECK(record.gathers == 2 * (6 + 8));
}

TEST_CASE("gathers: a plan of another number of blocks is refused") {
  CHECK_THROWS_AS(zero::activation::RecomputedBlocks({3, Recompute::block}, {{}, {}}), zero::ConfigurationError);
}

}  // namespace activation_gathers_test
