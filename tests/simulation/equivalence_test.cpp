// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/ragged_runs.hpp"
#include "engine/runs.hpp"
#include "reference/training.hpp"
#include "simulation/runs.hpp"
#include "simulation/scripts.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>

namespace simulation_equivalence_test {

using engine_test::Run;
using engine_test::Types;

namespace {

constexpr auto fp16 = Types::fp16;

// A kind of order over one run, drawn so that each meets all that a run may vary in; with ZERO_TEST_FULL every kind.
// Each with a seed of its own.
void check_in_orders(Run const& run, std::uint64_t expected) {
  static bool const takes_all = std::getenv("ZERO_TEST_FULL") != nullptr;
  static std::uint64_t seed = 0, runs = 0;
  auto const drawn = reference::mix(++runs) % simulation_test::orders.size();
  for (auto order : simulation_test::orders) {
    ++seed;
    if (!takes_all && order != simulation_test::orders[drawn]) continue;
    auto const result = simulation_test::train(run, {.seed = seed, .order = order});
    INFO(engine_test::describe(run) << " order " << static_cast<int>(order) << " seed " << seed);
    CHECK(result.hash == expected);
    CHECK(result.ranks_agree);
    CHECK(result.books_balance);
  }
}

template <class F>
void for_policies(F&& f) {
  for (auto stage : engine_test::stages) {
    for (bool offload : {false, true}) {
      for (bool adopted : {false, true}) {
        for (int prefetch : {0, 1}) {
          f(Run{.types = fp16,
                .stage = stage,
                .offload = offload,
                .adopted = adopted,
                .prefetch_units = prefetch,
                .steps = 4,
                .streams = prefetch == 0 ? 1 : 3});
        }
      }
    }
  }
}

engine_test::Result train_in(Types types, Run const& run, zero::SimulationOptions const& options) {
  if (types == Types::fp32) return simulation_test::train_fp32(run, options);
  if (types == Types::bf16) return simulation_test::train_bf16(run, options);
  return simulation_test::train(run, options);
}

// Worlds 1 to 8, each with what its number of ranks divides.
void check_worlds(int micro_batches, std::initializer_list<int> worlds) {
  auto const expected = engine_test::train({.types = fp16, .self = true, .accumulation = micro_batches, .steps = 4});
  CHECK(expected.reports.at(2).skipped);
  for_policies([&](Run run) {
    for (int world : worlds) {
      run.world = world;
      run.accumulation = micro_batches / world;
      check_in_orders(run, expected.hash);
    }
  });
}

}  // namespace

TEST_CASE("simulated equivalence: eight micro-batches give one result in worlds of 1, 2, 4 and 8, in every order") {
  check_worlds(8, {1, 2, 4, 8});
}

TEST_CASE("simulated equivalence: six micro-batches give one result in worlds of 3 and 6, in every order") {
  check_worlds(6, {3, 6});
}

TEST_CASE("simulated equivalence: worlds of 5 and 7, in every order") {
  check_worlds(5, {5});
  check_worlds(7, {7});
}

TEST_CASE("simulated equivalence: ranks without a micro-batch in the last round, or in any, in every order") {
  for (int micro_batches : {3, 5}) {
    auto const expected = engine_test::train({.types = fp16, .self = true, .accumulation = micro_batches, .steps = 4});
    for_policies([&](Run run) {
      for (int world : {2, 4, 8}) {
        run.world = world;
        run.micro_batches = micro_batches;
        run.absent = world == 4 ? engine_test::Absent::hands_over_nothing : engine_test::Absent::hands_over_some_nan;
        check_in_orders(run, expected.hash);
      }
    });
  }
}

TEST_CASE("simulated equivalence: any number of micro-batches gives one result on 1 to 8 ranks, in three types") {
  engine_test::Sample sample(35);
  std::uint64_t seed = 0;
  for (auto const types : {Types::fp32, Types::fp16, Types::bf16}) {
    for (int micro_batches = 1; micro_batches <= engine_test::most_micro_batches; ++micro_batches) {
      auto const expected =
          engine_test::train({.types = types, .self = true, .accumulation = micro_batches, .clipping = 0.5});
      engine_test::for_ragged_runs(sample, types, micro_batches, [&](Run const& run) {
        auto const result = train_in(types, run, {.seed = ++seed, .order = simulation_test::orders[seed % 4]});
        INFO(engine_test::describe(run) << " seed " << seed);
        CHECK(result.hash == expected.hash);
        CHECK(result.ranks_agree);
        CHECK(result.books_balance);
      });
    }
  }
}

TEST_CASE("simulated equivalence: once per step gives what threads give, in worlds of 1 to 8, in every order") {
  for (int world = 1; world <= 8; ++world) {
    Run const threads{
        .types = fp16, .world = world, .accumulation = 2, .reduce = zero::Reduce::once_per_step, .steps = 4};
    auto const expected = engine_test::train(threads);
    for_policies([&](Run run) {
      if (run.stage >= zero::Stage::gradients) return;
      run.world = world;
      run.accumulation = 2;
      run.reduce = zero::Reduce::once_per_step;
      check_in_orders(run, expected.hash);
    });
  }
}

TEST_CASE("simulated equivalence: 64 ranks with real data") {
  auto const expected = engine_test::train({.types = fp16, .self = true, .accumulation = 64, .steps = 3});
  for (auto stage : engine_test::stages) {
    auto const result = simulation_test::train({.types = fp16, .stage = stage, .world = 64, .steps = 3}, {.seed = 1});
    CHECK(result.hash == expected.hash);
    CHECK(result.ranks_agree);
  }
}

}  // namespace simulation_equivalence_test
