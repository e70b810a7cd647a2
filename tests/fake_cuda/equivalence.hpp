// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "engine/runs.hpp"
#include "fake_cuda/machine.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <exception>
#include <string>

namespace fake_cuda {

/// Trains on CUDA engines of one communicator.
using Train = engine_test::Result (*)(engine_test::Run const&);

/// Runs one configuration in one order, against what the host backend has given.
inline void check(Train train, engine_test::Run const& run, Options const& options,
                  engine_test::Result const& expected) {
  INFO(engine_test::describe(run) << " order " << static_cast<int>(options.order) << " seed " << options.seed);
  start(options);
  engine_test::Result result;
  try {
    result = train(run);
    finish();
  } catch (std::exception const& error) {
    FAIL_CHECK(std::string(error.what()) << "; " << violations());
    return;
  }
  CHECK(result.hash == expected.hash);
  CHECK(result.ranks_agree);
  CHECK(result.books_balance);
  CHECK(result.steady);
  CHECK(live_handles() == LiveHandles{});
}

/// The same in every stage, with and without offload and adopted buffers, each in another order.
inline void check_all(Train train, engine_test::Types types, int world, int micro_batches, int devices = 1) {
  auto const expected =
      engine_test::train({.types = types, .self = true, .accumulation = micro_batches, .clipping = 0.5});
  CHECK(expected.reports.at(2).skipped);
  std::uint64_t seed = 0;
  for (auto stage : engine_test::stages) {
    for (bool offload : {false, true}) {
      for (bool adopted : {false, true}) {
        engine_test::Run const run{.types = types,
                                   .stage = stage,
                                   .offload = offload,
                                   .world = world,
                                   .accumulation = micro_batches / world,
                                   .adopted = adopted,
                                   .evaluates = adopted,
                                   .clipping = 0.5,
                                   .streams = 1 + static_cast<int>(seed % 3)};
        ++seed;
        check(train, run, {.seed = seed, .order = every_order[seed % every_order.size()], .devices = devices},
              expected);
      }
    }
  }
}

}  // namespace fake_cuda
