// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "engine/runs.hpp"

#include <doctest/doctest.h>

namespace engine_result_invariance_test {

using engine_test::all_types;
using engine_test::Run;
using engine_test::Types;
using zero::Reduce;
using zero::Stage;

namespace {

std::uint64_t hash_of(Run const& run) {
  auto const result = engine_test::train(run);
  INFO(engine_test::describe(run));
  CHECK(result.ranks_agree);
  CHECK(result.books_balance);
  CHECK(result.steady);
  return result.hash;
}

// Six micro-batches on three ranks, with one setting changed at a time, in every stage, offloaded or not.
template <class F>
void changes_nothing(F&& change) {
  for (auto types : {Types::fp16, Types::bf16_sums}) {
    auto const expected = hash_of({.types = types, .self = true, .accumulation = 6});
    for (auto stage : engine_test::stages) {
      for (bool offload : {false, true}) {
        Run run{.types = types, .stage = stage, .offload = offload, .world = 3, .accumulation = 2};
        change(run);
        INFO(engine_test::describe(run));
        CHECK(hash_of(run) == expected);
      }
    }
  }
}

}  // namespace

TEST_CASE("result invariance: gradients that arrive in another order on every rank give the same bits") {
  changes_nothing([](Run& run) { run.shuffled = true, run.gradient_ring = 64; });
  changes_nothing([](Run& run) { run.shuffled = true, run.gradient_ring = 64, run.adopted = true; });
}

TEST_CASE("result invariance: what offload leaves on the device changes no bit") {
  changes_nothing([](Run& run) { run.device_share = 0.4; });
  changes_nothing([](Run& run) { run.device_share = 0.4, run.bucket_elements = 256, run.adopted = true; });
  changes_nothing([](Run& run) { run.device_share = 0.3, run.bucket_elements = 4096, run.chunk_elements = 256; });
  changes_nothing([](Run& run) { run.device_share = 0.6, run.alignment_elements = 384; });
  changes_nothing([](Run& run) { run.device_share = 1.0; });
}

TEST_CASE(
    "result invariance: a delayed update gives the same bits in every stage and world, and other ones than at once") {
  for (auto types : {Types::fp32, Types::fp16, Types::bf16_sums}) {
    Run const alone{.types = types, .offload = true, .accumulation = 6, .delayed_update = true};
    auto const expected = hash_of(alone);
    auto at_once = alone;
    at_once.delayed_update = false;
    CHECK(hash_of(at_once) != expected);
    for (auto stage : engine_test::stages) {
      for (int world : {2, 3}) {
        for (bool adopted : {false, true}) {
          CHECK(hash_of({.types = types,
                         .stage = stage,
                         .offload = true,
                         .world = world,
                         .accumulation = 6 / world,
                         .bucket_elements = adopted ? 256U : 1024U,
                         .adopted = adopted,
                         .evaluates = adopted,
                         .delayed_update = true}) == expected);
        }
      }
    }
  }
}

TEST_CASE("result invariance: the number of threads, the trainer's or the engine's, changes no bit") {
  changes_nothing([](Run& run) { run.threads = 3; });
  changes_nothing([](Run& run) { run.threads = 2, run.pool = true; });
}

TEST_CASE("result invariance: bucket size, granule and ring change no bit") {
  changes_nothing([](Run& run) { run.bucket_elements = 1; });
  changes_nothing([](Run& run) { run.bucket_elements = 384, run.alignment_elements = 384; });
  changes_nothing([](Run& run) { run.gradient_ring = 1; });
}

TEST_CASE("result invariance: gradients added to zeroed places are those that are written") {
  changes_nothing([](Run& run) { run.zeroed = true; });
}

TEST_CASE("result invariance: prefetching, evaluation between steps and small whole parameters change no bit") {
  changes_nothing([](Run& run) { run.prefetch_units = 0; });
  changes_nothing([](Run& run) { run.prefetch_units = 3, run.evaluates = true; });
  changes_nothing([](Run& run) { run.persistence_threshold = 200; });
  changes_nothing([](Run& run) { run.persistence_threshold = SIZE_MAX; });
}

TEST_CASE("result invariance: offload's chunks change no bit") {
  changes_nothing([](Run& run) { run.chunk_elements = 1; });
  changes_nothing([](Run& run) { run.chunk_elements = std::size_t{1} << 30; });
}

TEST_CASE("result invariance: what matters, matters") {
  Run const run{.types = Types::bf16, .world = 2, .accumulation = 2};
  auto clipped = run, once = run, clean = run, other_world = run;
  clipped.clipping = 0.5, once.reduce = Reduce::once_per_step, clean.bad_step = -1, other_world.world = 4;
  for (auto const& other : {clipped, once, clean, other_world}) CHECK(hash_of(other) != hash_of(run));
}

TEST_CASE(
    "result invariance: sums once per step agree between stages 0 and 1, offloaded or not, in buckets of any size") {
  for (auto types : all_types) {
    for (int world : {2, 3, 8}) {
      Run run{.types = types, .world = world, .accumulation = 3, .reduce = Reduce::once_per_step, .clipping = 0.5};
      auto const expected = hash_of(run);
      for (auto stage : {Stage::none, Stage::optimizer_states}) {
        for (bool offload : {false, true}) {
          for (bool adopted : {false, true}) {
            run.stage = stage, run.offload = offload, run.adopted = adopted;
            run.bucket_elements = adopted ? 65536 : 1024;
            INFO(engine_test::describe(run));
            CHECK(hash_of(run) == expected);
          }
        }
      }
    }
  }
}

TEST_CASE(
    "result invariance: sums once per step are those of each micro-batch where there is one micro-batch or one rank") {
  for (auto types : all_types) {
    for (auto stage : {Stage::none, Stage::optimizer_states}) {
      for (int world : {1, 4}) {
        Run run{.types = types, .stage = stage, .world = world, .accumulation = 4 / world};
        auto const each = hash_of(run);
        run.reduce = Reduce::once_per_step;
        INFO(engine_test::describe(run));
        CHECK(hash_of(run) == each);
        run.reduce.reset();  // what stages 0 and 1 do by default
        CHECK(hash_of(run) == each);
      }
    }
  }
}

}  // namespace engine_result_invariance_test
