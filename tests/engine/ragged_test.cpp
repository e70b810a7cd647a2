// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/ragged_runs.hpp"
#include "engine/runs.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace engine_ragged_test {

// Steps whose micro-batches the number of ranks does not divide.

using engine_test::Absent;
using engine_test::all_types;
using engine_test::most_micro_batches;
using engine_test::Run;
using engine_test::Types;

namespace {

[[nodiscard]] engine_test::Result alone(Types types, int micro_batches) {
  return engine_test::train({.types = types, .self = true, .accumulation = micro_batches, .clipping = 0.5});
}

void check(Run const& run, engine_test::Result const& expected) {
  auto const result = engine_test::train(run);
  INFO(engine_test::describe(run));
  CHECK(result.hash == expected.hash);
  CHECK(result.ranks_agree);
  CHECK(result.books_balance);
  CHECK(result.steady);
}

}  // namespace

TEST_CASE("ragged rounds: the bits depend on the number of micro-batches, not on the ranks, stages or offload") {
  engine_test::Sample sample(23);
  for (auto types : all_types) {
    for (int micro_batches = 1; micro_batches <= most_micro_batches; ++micro_batches) {
      auto const expected = alone(types, micro_batches);
      engine_test::for_ragged_runs(sample, types, micro_batches, [&](Run const& run) { check(run, expected); });
    }
  }
}

TEST_CASE("ragged rounds: shuffled gradients, several buckets, offload in part and delayed updates change no bit") {
  for (auto types : all_types) {
    auto const expected = alone(types, 7);
    for (auto stage : engine_test::stages) {
      Run const run{.types = types,
                    .stage = stage,
                    .world = 5,
                    .micro_batches = 7,
                    .absent = Absent::hands_over_some_nan,
                    .reduce = std::nullopt,
                    .clipping = 0.5};
      Run shuffled = run;
      shuffled.shuffled = true, shuffled.gradient_ring = 16, shuffled.bucket_elements = 512;
      check(shuffled, expected);
      Run offloaded = run;
      offloaded.offload = true, offloaded.device_share = 0.4, offloaded.prefetch_units = 2;
      check(offloaded, expected);
    }
  }
  for (auto stage : engine_test::stages) {
    Run delayed{.types = Types::fp16, .stage = stage, .offload = true, .delayed_update = true};
    delayed.accumulation = 7;
    auto const expected = engine_test::train(delayed);
    delayed.world = 3, delayed.micro_batches = 7, delayed.reduce = std::nullopt;
    check(delayed, expected);
  }
}

TEST_CASE("ragged rounds: sums that are reduced once per step take nothing of what absent ranks hand over") {
  for (auto types : all_types) {
    for (int micro_batches : {2, 3, 7}) {
      for (int world : {3, 4}) {
        Run run{.types = types,
                .world = world,
                .micro_batches = micro_batches,
                .absent = Absent::hands_over_nothing,
                .reduce = zero::Reduce::once_per_step};
        auto const expected = engine_test::train(run);
        for (auto absent : {Absent::hands_over_nan, Absent::hands_over_some_nan}) {
          for (auto stage : {zero::Stage::none, zero::Stage::optimizer_states}) {
            run.stage = stage, run.absent = absent, run.adopted = !run.adopted;
            check(run, expected);
          }
        }
        for (int step = 0; step < run.steps; ++step) {
          CHECK(expected.reports[static_cast<std::size_t>(step)].skipped == (step == run.bad_step));
        }
      }
    }
  }
}

}  // namespace engine_ragged_test
