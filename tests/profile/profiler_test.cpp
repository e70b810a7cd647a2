// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "profile/training.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

namespace profile_profiler_test {

using profile_test::costs;
using profile_test::Costs;
using profile_test::now;
using profile_test::Phase;
using profile_test::Profiler;
using profile_test::Run;
using profile_test::SlowCommunicator;
using profile_test::train;
using zero::Stage;
using zero::profile::StepBreakdown;

namespace {

constexpr std::array every_stage{Stage::none, Stage::optimizer_states, Stage::gradients, Stage::parameters};

struct Profiled {
  std::vector<StepBreakdown> steps;
  std::vector<std::int64_t> took;  // by step, as the test sees it
  std::vector<zero::profile::Span> spans;
  std::vector<zero::profile::CommunicationEntry> calls;
};

// Of one rank alone, in scripted time.
Profiled profiled(Run const& run, Costs const& spent, Profiler::Config config = profile_test::scripted()) {
  costs = spent;
  zero::SelfCommunicator alone;
  SlowCommunicator ranks(alone);
  Profiler profiler(std::move(config));
  profiler.keep_spans(10000);
  Profiled seen;
  std::int64_t before = now;
  (void)train(ranks, run, &profiler, [&](int step) {
    if (step >= 0) seen.took.push_back(now - before);
    before = now;
  });
  while (auto const step = profiler.take_step()) seen.steps.push_back(*step);
  seen.spans = profiler.take_spans();
  auto const entries = profiler.communication().entries();
  seen.calls.assign(entries.begin(), entries.end());
  costs = {};
  return seen;
}

}  // namespace

TEST_CASE("profiler: what is exposed of the phases adds up to the step") {
  for (auto stage : every_stage) {
    for (bool offload : {false, true}) {
      for (int accumulation : {1, 3}) {
        auto const seen = profiled(
            {.stage = stage, .accumulation = accumulation, .offload = offload},
            {.data = 7, .forward = 1000, .backward = 2000, .gather = 300, .reduce = 500, .norm = 11, .update = 70});
        REQUIRE(seen.steps.size() == 3);
        for (std::size_t step = 0; step < 3; ++step) {
          std::int64_t sum = 0;
          for (auto part : seen.steps[step].exposed) sum += part;
          CHECK(sum == seen.steps[step].total);
          CHECK(std::abs(sum - seen.took[step]) * 50 <= seen.took[step]);
          CHECK(seen.steps[step].steps == 1);
          CHECK(seen.steps[step].dropped == 0);
        }
      }
    }
  }
}

TEST_CASE("profiler: a delay that is injected into one phase appears in that phase alone") {
  struct Delay {
    Phase phase;
    std::int64_t Costs::*cost;
  };
  constexpr std::array delays{Delay{Phase::data, &Costs::data},         Delay{Phase::forward, &Costs::forward},
                              Delay{Phase::backward, &Costs::backward}, Delay{Phase::gather, &Costs::gather},
                              Delay{Phase::reduce, &Costs::reduce},     Delay{Phase::reduce, &Costs::norm},
                              Delay{Phase::update, &Costs::update}};
  Costs const plain{.data = 10, .forward = 20, .backward = 30, .gather = 40, .reduce = 50, .norm = 60, .update = 70};
  for (auto stage : every_stage) {
    Run const run{.stage = stage, .accumulation = 2, .marks_data = true};
    auto const before = profiled(run, plain).steps;
    for (auto const& delay : delays) {
      auto slow = plain;
      slow.*delay.cost += 1000000;
      auto const after = profiled(run, slow).steps;
      REQUIRE(after.size() == before.size());
      for (std::size_t step = 0; step < after.size(); ++step) {
        for (std::size_t p = 0; p < zero::profile::phases; ++p) {
          INFO(static_cast<int>(stage), " ", name(delay.phase), " ", name(static_cast<Phase>(p)));
          bool const is_delayed =
              static_cast<Phase>(p) == delay.phase && (stage != Stage::none || delay.cost != &Costs::gather);
          CHECK((after[step].exposed[p] - before[step].exposed[p] >= 1000000) == is_delayed);
          CHECK((after[step].exposed[p] == before[step].exposed[p]) == !is_delayed);
          CHECK(after[step].busy[p] - before[step].busy[p] == after[step].exposed[p] - before[step].exposed[p]);
        }
      }
    }
  }
}

TEST_CASE("profiler: results are the same to the bit, with a profiler and without, on any number of ranks") {
  for (auto stage : every_stage) {
    for (bool offload : {false, true}) {
      Run const run{.stage = stage, .accumulation = 2, .offload = offload};
      zero::run_ranks(2, [&](zero::ThreadCommunicator& ranks) {
        auto const expected = train(ranks, run, nullptr);
        Profiler profiler;
        CHECK(train(ranks, run, &profiler) == expected);
        auto const steps = profiler.take_steps();
        CHECK(steps.steps == 3);
        CHECK(steps.exposed_in(Phase::reduce) > 0);
        CHECK(profiler.dropped() == 0);
        // Ranks need not agree on it: what they compare at each step is the same.
        Profiler of_one_rank;
        CHECK(train(ranks, run, ranks.rank() == 0 ? &of_one_rank : nullptr) == expected);
      });
    }
  }
}

TEST_CASE("profiler: time between micro-batches is data, and time between steps is nobody's") {
  zero::HostStream const stream;
  Profiler profiler(profile_test::scripted());
  int const owner = 0;
  for (int step = 0; step < 2; ++step) {
    now += 5000;  // evaluation
    profiler.begin_micro_batch(&owner, stream);
    now += 10;
    profiler.begin_backward(stream);
    now += 20;
    profiler.end_micro_batch(stream);
    now += 40;
    profiler.begin_micro_batch(&owner, stream);
    now += 80;
    profiler.begin_backward(stream);
    profiler.begin_backward(stream);
    now += 160;
    profiler.end_micro_batch(stream);
    profiler.begin_step(&owner, Phase::update, stream);
    now += 320;
    profiler.end_step(stream);
  }
  auto const steps = profiler.take_steps();
  CHECK(steps.steps == 2);
  CHECK(steps.total == 2 * 630);
  CHECK(steps.exposed_in(Phase::data) == 2 * 40);
  CHECK(steps.exposed_in(Phase::forward) == 2 * 90);
  CHECK(steps.exposed_in(Phase::backward) == 2 * 180);
  CHECK(steps.exposed_in(Phase::update) == 2 * 320);
  CHECK(to_line(steps) == "0.001 ms per step: data 0.000, forward 0.000, backward 0.000, update 0.000");
}

TEST_CASE("profiler: a phase that is marked before the first micro-batch begins the step") {
  zero::HostStream const stream;
  Profiler profiler(profile_test::scripted());
  int const owner = 0;
  {
    auto const scope = profiler.phase(Phase::data, stream);
    now += 1000;
    auto const inner = profiler.phase(Phase::other, stream);
    now += 100;
  }
  profiler.begin_micro_batch(&owner, stream);
  now += 10;
  profiler.begin_step(&owner, Phase::update, stream);
  auto late = profiler.phase(Phase::data, stream);  // ends with the step at the latest
  now += 3;
  profiler.end_step(stream);
  auto const step = profiler.take_step();
  REQUIRE(step);
  CHECK(step->exposed_in(Phase::data) == 1003);
  CHECK(step->exposed_in(Phase::other) == 100);
  CHECK(step->exposed_in(Phase::forward) == 10);
  CHECK(step->exposed_in(Phase::update) == 0);
  CHECK(step->total == 1113);
}

TEST_CASE("profiler: a step that is discarded counts for nothing") {
  zero::HostStream const stream;
  Profiler profiler(profile_test::scripted());
  int const owner = 0, other = 0;
  profiler.begin_micro_batch(&owner, stream);
  now += 1000;
  profiler.discard(&other);
  profiler.discard(&owner);
  profiler.begin_micro_batch(&owner, stream);
  now += 10;
  profiler.begin_step(&owner, Phase::captured, stream);
  now += 5;
  profiler.end_step(stream);
  auto const steps = profiler.take_steps();
  CHECK(profiler.step() == 1);
  CHECK(steps.total == 15);
  CHECK(steps.exposed_in(Phase::captured) == 5);
}

TEST_CASE("profiler: while it pauses nothing is recorded") {
  zero::HostStream const stream;
  Profiler profiler(profile_test::scripted());
  int const owner = 0;
  profiler.pause();
  profiler.begin_micro_batch(&owner, stream);
  now += 10;
  { auto const scope = profiler.phase(Phase::data, stream); }
  { auto const scope = profiler.operation({.name = "all_to_all", .bytes = 8, .ranks = 2}, stream); }
  profiler.begin_step(&owner, Phase::update, stream);
  profiler.end_step(stream);
  profiler.resume();
  CHECK(!profiler.take_step());
  CHECK(profiler.communication().entries().empty());
  CHECK(profiler.step() == 0);
}

TEST_CASE("profiler: the communication log counts calls, bytes and time by operation and size") {
  auto const seen = profiled({.stage = Stage::gradients, .steps = 4}, {.gather = 300, .reduce = 500, .norm = 11});
  std::uint64_t reductions = 0, gathers = 0;
  for (auto const& call : seen.calls) {
    CHECK(call.ranks == 1);
    if (call.operation == "reduce_scatter_add") {
      CHECK(call.bytes % sizeof(zero::bfloat16) == 0);
      CHECK(call.nanoseconds == static_cast<std::int64_t>(call.count) * 500);
      CHECK(call.shortest == 500);
      CHECK(call.longest == 500);
      reductions += call.count;
    } else if (call.operation == "all_gather" && call.nanoseconds > 0) {
      gathers += call.count;
    } else if (call.operation == "all_reduce") {
      CHECK(call.count == 4);
      CHECK(call.nanoseconds == 44);
    }
  }
  CHECK(reductions > 0);
  CHECK(reductions == gathers);
}

TEST_CASE("profiler: bandwidths are those of nccl-tests") {
  zero::profile::CommunicationLog log;
  auto const add = [&](std::string_view operation, std::size_t bytes, int ranks, std::int64_t took) {
    log.add({.operation = {.name = operation, .bytes = bytes, .ranks = ranks}, .begin = 100, .end = 100 + took});
  };
  add("all_reduce", 4000, 4, 1000);
  add("all_reduce", 4000, 4, 3000);
  add("reduce_scatter_add", 8000, 4, 2000);
  add("all_gather", 8000, 4, 0);
  add("send", 8000, 2, 1000);
  log.add({.operation = {.name = "squares"}, .end = 5});
  REQUIRE(log.entries().size() == 4);
  auto const& reduced = log.entries()[0];
  CHECK(reduced.count == 2);
  CHECK(reduced.shortest == 1000);
  CHECK(reduced.longest == 3000);
  CHECK(reduced.algorithm_bandwidth() == doctest::Approx(2e9));
  CHECK(reduced.bus_bandwidth() == doctest::Approx(3e9));
  CHECK(log.entries()[1].bus_bandwidth() == doctest::Approx(3e9));
  CHECK(log.entries()[2].bus_bandwidth() == 0.0);
  CHECK(log.entries()[3].bus_bandwidth() == doctest::Approx(8e9));
  auto const table = to_table(log);
  CHECK(
      table.find("all_reduce                     4000     4        2       0.004     0.0020     0.0010     0.0030     "
                 "2.000     3.000") != std::string::npos);
}

TEST_CASE("profiler: spans of the caller's stream follow each other without a gap, and know their steps") {
  auto const seen = profiled({.stage = Stage::parameters}, {.forward = 5, .backward = 7, .gather = 3, .reduce = 2});
  std::int64_t at = -1;
  std::uint64_t step = 0;
  for (auto const& span : seen.spans) {
    if (!span.exposed) continue;
    if (span.step == step) CHECK(span.begin == at);
    if (span.step != step) CHECK(span.step == step + 1);
    step = span.step;
    at = span.end;
  }
  CHECK(step == 3);
}

}  // namespace profile_profiler_test
