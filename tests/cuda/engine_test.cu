// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "cuda/on_device.cuh"

#include <doctest/doctest.h>

engine_test::Result cuda_test::train(engine_test::Run const& run) {
  switch (run.types) {
    case engine_test::Types::fp32:
      return cuda_test::train_fp32(run);
    case engine_test::Types::fp16:
      return cuda_test::train_fp16(run);
    case engine_test::Types::bf16:
      return cuda_test::train_bf16(run);
    default:
      return cuda_test::train_bf16_sums(run);
  }
}

namespace cuda_engine_test {

using engine_test::all_types;
using engine_test::Result;
using engine_test::Run;
using engine_test::Types;

namespace {

// What the host gives, bit for bit, in every setting that may not change a result.
void check(Run const& run, Result const& expected) {
  auto const result = cuda_test::train(run);
  INFO(engine_test::describe(run));
  CHECK(result.hash == expected.hash);
  CHECK(result.ranks_agree);
  CHECK(result.books_balance);
  CHECK(result.steady);
}

void check_all(Types types, int world, int accumulation) {
  auto const expected =
      engine_test::train({.types = types, .self = true, .accumulation = world * accumulation, .clipping = 0.5});
  CHECK(expected.reports.at(2).skipped);
  for (auto stage : engine_test::stages) {
    for (bool offload : {false, true}) {
      for (bool adopted : {false, true}) {
        Run run{.types = types,
                .stage = stage,
                .offload = offload,
                .world = world,
                .accumulation = accumulation,
                .adopted = adopted,
                .clipping = 0.5};
        check(run, expected);
        run.streams = 3, run.evaluates = true, run.bucket_elements = 1U << 16, run.threads = 2;
        check(run, expected);
      }
    }
  }
}

}  // namespace

TEST_CASE("cuda engine: the host's bits, in every stage, type, offload and kind of buffer, on one rank") {
  for (auto types : all_types) check_all(types, 1, 1), check_all(types, 1, 4);
}

TEST_CASE("cuda engine: the host's bits on 2, 3 and 4 ranks of one process") {
  for (auto types : all_types) check_all(types, 2, 2), check_all(types, 3, 1), check_all(types, 4, 1);
}

TEST_CASE("cuda engine: sums over micro-batches once per step have the host's bits, too") {
  for (auto types : all_types) {
    for (auto stage : {zero::Stage::none, zero::Stage::optimizer_states}) {
      Run const run{
          .types = types, .stage = stage, .world = 2, .accumulation = 3, .reduce = zero::Reduce::once_per_step};
      check(run, engine_test::train(run));
    }
  }
}

TEST_CASE("cuda engine: the host's bits where a share of the offloaded states stays on the device") {
  for (auto types : {Types::fp32, Types::fp16}) {
    auto const expected = engine_test::train({.types = types, .self = true, .accumulation = 4, .clipping = 0.5});
    for (auto stage : engine_test::stages) {
      for (double share : {0.5, 1.0}) {
        Run run{.types = types, .stage = stage, .offload = true, .world = 2, .accumulation = 2, .clipping = 0.5};
        run.device_share = share, run.bucket_elements = 512;
        check(run, expected);
      }
    }
  }
}

TEST_CASE("cuda engine: the host's bits with a delayed update, on one rank and on two") {
  for (auto types : {Types::fp32, Types::fp16, Types::bf16}) {
    for (auto stage : engine_test::stages) {
      for (int world : {1, 2}) {
        Run run{.types = types, .stage = stage, .offload = true, .world = world, .accumulation = 2, .clipping = 0.5};
        run.delayed_update = true;
        check(run, engine_test::train(run));
      }
    }
  }
}

TEST_CASE("cuda engine: late, shuffled and zeroed gradients, small buckets and kept parameters") {
  for (auto types : {Types::fp16, Types::bf16_sums}) {
    auto const expected = engine_test::train({.types = types, .self = true, .accumulation = 4, .clipping = 0.5});
    for (auto stage : engine_test::stages) {
      Run run{.types = types, .stage = stage, .world = 2, .accumulation = 2, .clipping = 0.5};
      run.zeroed = true, run.persistence_threshold = 200, run.prefetch_units = 2, run.alignment_elements = 256;
      check(run, expected);
      if (stage < zero::Stage::gradients) run.shuffled = true;
      run.zeroed = false, run.streams = 3;
      check(run, expected);
    }
  }
}

}  // namespace cuda_engine_test
