// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/runs.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace engine_equivalence_test {

using engine_test::all_types;
using engine_test::Run;
using engine_test::Types;

namespace {

// Runs one configuration against what another one has given.
void check(Run const& run, engine_test::Result const& expected) {
  auto const result = engine_test::train(run);
  INFO(engine_test::describe(run));
  CHECK(result.hash == expected.hash);
  CHECK(result.ranks_agree);
  CHECK(result.books_balance);
  CHECK(result.steady);
}

template <class F>
void for_worlds(int micro_batches, F&& f) {
  for (int world : {1, 2, 3, 4, 6, 8}) {
    if (micro_batches % world == 0) f(world, micro_batches / world);
  }
}

// Stages, offload, placed and adopted buffers, in every world of `micro_batches` micro-batches.
void check_all(Types types, int micro_batches, std::size_t bucket_elements) {
  auto const expected =
      engine_test::train({.types = types, .self = true, .accumulation = micro_batches, .clipping = 0.5});
  CHECK(expected.reports.at(2).skipped);
  for_worlds(micro_batches, [&](int world, int accumulation) {
    for (auto stage : engine_test::stages) {
      for (bool offload : {false, true}) {
        for (bool adopted : {false, true}) {
          check({.types = types,
                 .stage = stage,
                 .offload = offload,
                 .world = world,
                 .accumulation = accumulation,
                 .bucket_elements = bucket_elements,
                 .adopted = adopted,
                 .clipping = 0.5},
                expected);
        }
      }
    }
  });
}

}  // namespace

TEST_CASE("equivalence: one micro-batch, in every stage, type, offload and bucket size") {
  for (auto types : all_types) check_all(types, 1, 1024), check_all(types, 1, 1U << 16);
}

TEST_CASE("equivalence: four micro-batches give the same bits in worlds of 1, 2 and 4") {
  for (auto types : all_types) check_all(types, 4, 1024), check_all(types, 4, 1U << 16);
}

TEST_CASE("equivalence: six micro-batches give the same bits in worlds of 1, 2, 3 and 6") {
  for (auto types : all_types) check_all(types, 6, 1024), check_all(types, 6, 1U << 16);
}

TEST_CASE("equivalence: eight micro-batches give the same bits in worlds of 1, 2, 4 and 8") {
  for (auto types : all_types) check_all(types, 8, 1024), check_all(types, 8, 1U << 16);
}

}  // namespace engine_equivalence_test
