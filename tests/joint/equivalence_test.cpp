// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "checkpoint/support.hpp"
#include "joint/joint_trainer.hpp"
#include "reference/training.hpp"

#include <zero/communicators/thread.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace joint_equivalence_test {

// A model whose parameters are divided over several engines has the bits of one engine.

using joint_test::Part;
using joint_test::Result;
using joint_test::Run;
using zero::Stage;

namespace {

template <class Prec>
Result train_in(Run const& run) {
  using Engine = zero::AnyEngine<zero::AdamW, Prec, zero::HostBackend, zero::ThreadCommunicator>;
  std::vector<Result> results(static_cast<std::size_t>(run.world));
  zero::run_ranks(run.world, [&](zero::ThreadCommunicator& world) {
    results[static_cast<std::size_t>(world.rank())] =
        joint_test::Trainer<Engine, zero::ThreadCommunicator>(world, run).train();
  });
  for (auto const& other : results) {
    CHECK(other.hash == results[0].hash);
    CHECK(other.books_balance);
    CHECK(other.steady);
  }
  return results[0];
}
Result train_fp32(Run const& run) { return train_in<zero::Precision<zero::FP32>>(run); }
Result train_fp16(Run const& run) { return train_in<zero::Precision<zero::FP16, zero::DynamicScale>>(run); }

// One engine on one rank.
[[nodiscard]] Run alone(Run run) {
  run.accumulation = run.total();
  run.micro_batches.reset();
  run.world = 1;
  run.parts = {{.gradient_ring = 64}};
  run.alone = true;
  run.delayed = false;
  return run;
}

/// Under a sanitizer, which looks for other errors and takes ten times as long, a third of the runs.
void check(Run const& run, Result const& expected, Result (*train)(Run const&)) {
  static std::uint64_t runs = 0;
  if (checkpoint_test::is_sampled && reference::mix(++runs) % 3 != 0) return;
  INFO(joint_test::describe(run));
  auto const result = train(run);
  CHECK(result.hash == expected.hash);
  REQUIRE(result.reports.size() == expected.reports.size());
  for (std::size_t step = 0; step < result.reports.size(); ++step) {
    auto const& report = result.reports[step];
    CHECK(report.gradient_norm == expected.reports[step].gradient_norm);
    CHECK(report.skipped == (static_cast<int>(step) == run.bad_step));
    CHECK(report.bad_engine == (report.skipped ? "m" + std::to_string(run.part_of(2)) : ""));
  }
}

[[nodiscard]] std::vector<std::vector<Part>> divisions() {
  return {
      {{.stage = Stage::none}},
      {{.stage = Stage::none}, {.stage = Stage::none}},
      {{.stage = Stage::optimizer_states}, {.stage = Stage::optimizer_states}},
      {{.stage = Stage::gradients}, {.stage = Stage::gradients}},
      {{.stage = Stage::parameters}, {.stage = Stage::parameters}},
      {{.stage = Stage::optimizer_states}, {.stage = Stage::parameters}},
      {{.stage = Stage::parameters}, {.stage = Stage::gradients, .bucket_elements = 512}},
      {{.stage = Stage::gradients, .offload = true}, {.stage = Stage::none}},
      {{.stage = Stage::parameters, .offload = true}, {.stage = Stage::optimizer_states, .offload = true}},
      {{.stage = Stage::none}, {.stage = Stage::gradients}, {.stage = Stage::parameters, .persistence_threshold = 200}},
      {{.stage = Stage::parameters},
       {.stage = Stage::optimizer_states, .offload = true, .device_share = 0.4},
       {.stage = Stage::gradients}},
  };
}

}  // namespace

TEST_CASE("joint step: parameters divided over engines have the bits of one engine, norm and report too") {
  for (auto* train : {&train_fp32, &train_fp16}) {
    for (int accumulation : {1, 2}) {
      for (int world : {1, 2, 3}) {
        Run run{.world = world, .accumulation = accumulation};
        auto const expected = train(alone(run));
        for (auto const& parts : divisions()) {
          run.parts = parts;
          check(run, expected, train);
        }
      }
    }
  }
}

TEST_CASE("joint step: ragged rounds and what absent ranks hand over change no bit") {
  for (int micro_batches : {1, 4, 7}) {
    Run run{.micro_batches = micro_batches};
    auto const expected = train_fp16(alone(run));
    for (int world : {2, 3, 4}) {
      run.world = world;
      for (auto absent : {joint_test::Absent::hands_over_nothing, joint_test::Absent::hands_over_nan,
                          joint_test::Absent::hands_over_some_nan}) {
        run.absent = absent;
        for (auto const& parts : divisions()) {
          run.parts = parts;
          check(run, expected, train_fp16);
        }
      }
    }
  }
}

TEST_CASE("joint step: gradients that are missing on some ranks, with engines at stages 1 and 3") {
  for (int micro_batches : {3, 5}) {
    Run run{.micro_batches = micro_batches, .missing = true};
    auto const expected = train_fp16(alone(run));
    for (int world : {1, 2, 4}) {
      run.world = world;
      for (auto const& parts : divisions()) {
        run.parts = parts;
        check(run, expected, train_fp16);
      }
    }
  }
}

TEST_CASE("joint step: gradients that arrive in any order, where everything is gathered once") {
  Run run{.accumulation = 2, .gathers_once = true};
  for (int world : {1, 3}) {
    run.world = world;
    auto const expected = train_fp16(alone(run));
    for (bool shuffled : {false, true}) {
      run.shuffled = shuffled;
      for (auto parts : divisions()) {
        for (auto& part : parts) part.gradient_ring = 64;
        run.parts = parts;
        check(run, expected, train_fp16);
      }
    }
  }
}

TEST_CASE("joint step: a delayed update is the next step's, also beside engines without offload") {
  std::vector<Part> const offloaded(2, {.stage = Stage::gradients, .offload = true});
  Run run{.parts = offloaded, .world = 2, .delayed = true};
  auto one = run;
  one.parts = {{.stage = Stage::gradients, .offload = true}};
  one.alone = true;
  check(run, train_fp16(one), train_fp16);
  // Beside an engine that is not delayed no single engine says what should come; the order of ranks is the same.
  run.parts[0].offload = false;
  auto const two = train_fp16(run);
  run.world = 1, run.accumulation = 2;
  CHECK(train_fp16(run).hash == two.hash);
}

}  // namespace joint_equivalence_test
