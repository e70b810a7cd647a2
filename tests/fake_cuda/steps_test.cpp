// SPDX-FileCopyrightText: 2026 The zero authors
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "fake_cuda/steps.hpp"
#include "fake_cuda/fixtures.hpp"
#include "fake_cuda/machine.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>

namespace fake_cuda_steps_test {

using fake_cuda::check_goes_on;
using fake_cuda::Seen;
using fake_cuda::Small;
using zero::SimulationOrder;

namespace {

Seen train(Small const& small, SimulationOrder order = SimulationOrder::random, std::uint64_t seed = 1) {
  fake_cuda::start({.seed = seed, .order = order});
  Seen seen;
  fake_cuda::train_small(small, seen);
  fake_cuda::finish();
  CHECK(fake_cuda::live_handles() == fake_cuda::LiveHandles{});
  return seen;
}

// The same in all that counts.
void check_same(Seen const& a, Seen const& b) {
  CHECK(a.values == b.values);
  REQUIRE(a.reports.size() == b.reports.size());
  for (std::size_t i = 0; i < a.reports.size(); ++i) {
    CHECK(a.reports[i].step == b.reports[i].step);
    CHECK(a.reports[i].skipped == b.reports[i].skipped);
    CHECK(a.reports[i].gradient_norm == b.reports[i].gradient_norm);
    CHECK(a.reports[i].loss_scale == b.reports[i].loss_scale);
  }
}

}  // namespace

TEST_CASE("steps: none after the first waits on the host or allocates") {
  for (auto stage : fake_cuda::sharded) {
    for (bool adopted : {false, true}) {
      for (int world : {1, 2}) {
        auto const seen = train({.stage = stage, .adopted = adopted, .world = world, .steps = 6, .waits = false});
        check_goes_on(seen, 1);
      }
    }
  }
}

TEST_CASE("steps: a broadcast of device memory is ordered with the stream that it is called on, in every order") {
  for (auto order : fake_cuda::every_order) {
    for (int captured_from : {-1, 1}) {
      auto const seen = train(
          {.world = captured_from < 0 ? 2 : 1, .steps = 3, .captured_from = captured_from, .broadcasts = true}, order);
      REQUIRE(seen.received.size() > 2);
      float const from = captured_from < 0 ? 100.0F : 0.0F;
      for (std::size_t i = 0; i < seen.received.size(); ++i)
        CHECK(seen.received[i] == 2.0F * (from + 2.0F + static_cast<float>(i)));
    }
  }
}

TEST_CASE("steps: two ranks wait and allocate no more often in more steps") {
  auto const counts_of = [](int steps) {
    (void)train({.world = 2, .steps = steps, .waits = false});
    return fake_cuda::counts();
  };
  auto const few = counts_of(2), many = counts_of(9);
  CHECK(many.synchronizations == few.synchronizations);
  CHECK(many.blocking_copies == few.blocking_copies);
  CHECK(many.allocations == few.allocations);
}

TEST_CASE("steps: an offloaded step waits for its decision, once") {
  auto const seen = train({.offload = true, .steps = 4, .waits = false});
  for (std::size_t step = 1; step < seen.steps.size(); ++step) {
    CHECK(seen.steps[step].synchronizations == seen.steps[step - 1].synchronizations + 1);
    CHECK(seen.steps[step].blocking_copies == seen.steps[step - 1].blocking_copies);
    CHECK(seen.steps[step].allocations == seen.steps[step - 1].allocations);
  }
}

TEST_CASE("steps: with a delayed update an offloaded step waits for nothing, and allocates nothing") {
  for (auto stage : fake_cuda::sharded) {
    check_goes_on(train({.stage = stage, .offload = true, .delayed_update = true, .steps = 6, .waits = false}), 1);
  }
}

TEST_CASE("steps: a captured step gives the bits of an ordinary one") {
  for (auto stage : fake_cuda::sharded) {
    for (bool adopted : {false, true}) {
      Small const plain{.stage = stage, .adopted = adopted, .steps = 7, .accumulation = 2};
      auto const expected = train(plain);
      CHECK(expected.reports.at(2).loss_scale == 16.0F);
      for (auto order : fake_cuda::every_order) {
        auto small = plain;
        small.captured_from = 1;
        check_same(train(small, order), expected);
        small.waits = false;
        CHECK(train(small, order).values == expected.values);
      }
    }
  }
}

TEST_CASE("steps: a captured step takes the momentum of each replay") {
  for (auto stage : fake_cuda::sharded) {
    Small small{.stage = stage, .steps = 6, .cycles_momentum = true};
    auto const expected = train(small);
    CHECK(expected.values != train({.stage = stage, .steps = 6}).values);
    small.captured_from = 1;
    for (auto order : fake_cuda::every_order) check_same(train(small, order), expected);
    small.alternates = true;
    check_same(train(small), expected);
  }
}

TEST_CASE("steps: a replayed step launches one graph and waits for nothing") {
  auto const seen = train({.steps = 6, .waits = false, .captured_from = 1});
  check_goes_on(seen, 2, 1);
}

TEST_CASE("steps: evaluation on another stream is ordered with captured steps and with captures that are given up") {
  for (auto stage : fake_cuda::sharded) {
    auto const expected = train({.stage = stage, .steps = 4, .waits = false});
    for (auto order : fake_cuda::every_order) {
      for (int where = 0; where < 8; ++where) {
        Small small{.stage = stage,
                    .steps = 4,
                    .evaluates = (where & 1) != 0,
                    .evaluates_before_capture = (where & 2) != 0,
                    .evaluates_after_capture = (where & 4) != 0,
                    .waits = false};
        small.abandons_capture = true;
        CHECK(train(small, order).values == expected.values);
        small.abandons_capture = false;
        small.captured_from = 2;
        CHECK(train(small, order).values == expected.values);
      }
    }
  }
}

TEST_CASE("steps: an overflow changes nothing but the scale") {
  for (auto [offload, delayed] : {std::pair{false, false}, {true, false}, {true, true}}) {
    auto const seen = train({.offload = offload, .delayed_update = delayed, .steps = 3, .bad_step = 2});
    CHECK(seen.values == train({.offload = offload, .delayed_update = delayed, .steps = 2}).values);
    CHECK(seen.reports.at(2).skipped);
    CHECK(seen.reports.at(2).bad_parameter == "a");
  }
}

TEST_CASE("steps: with a profiler they give the same bits, and wait, allocate and launch no more often") {
  for (auto stage : fake_cuda::sharded) {
    for (auto [offload, delayed, captured] :
         {std::tuple{false, false, -1}, {true, false, -1}, {true, true, -1}, {false, false, 2}}) {
      for (auto order : fake_cuda::every_order) {
        Small small{.stage = stage,
                    .offload = offload,
                    .delayed_update = delayed,
                    .steps = 5,
                    .waits = false,
                    .captured_from = captured,
                    .accumulation = 2};
        auto const plain = train(small, order);
        small.profiles = true;
        auto const seen = train(small, order);
        CHECK(seen.values == plain.values);
        REQUIRE(seen.steps.size() == plain.steps.size());
        for (std::size_t step = 1; step < seen.steps.size(); ++step) {
          auto const &now = seen.steps[step], &before = seen.steps[step - 1];
          auto const &plain_now = plain.steps[step], &plain_before = plain.steps[step - 1];
          CHECK(now.synchronizations - before.synchronizations ==
                plain_now.synchronizations - plain_before.synchronizations);
          CHECK(now.blocking_copies - before.blocking_copies ==
                plain_now.blocking_copies - plain_before.blocking_copies);
          CHECK(now.allocations == before.allocations);
          CHECK(now.launches - before.launches == plain_now.launches - plain_before.launches);
        }
      }
    }
  }
}

TEST_CASE("steps: a profiler's phases add up, in every order, and a captured step is one") {
  using zero::profile::Phase;
  for (auto order : fake_cuda::every_order) {
    auto const seen = train({.steps = 6, .waits = false, .captured_from = 3, .profiles = true}, order);
    REQUIRE(seen.breakdowns.size() == 6);
    for (std::size_t step = 0; step < 6; ++step) {
      auto const& breakdown = seen.breakdowns[step];
      std::int64_t sum = 0;
      for (auto part : breakdown.exposed) sum += part;
      CHECK(sum == breakdown.total);
      CHECK(breakdown.total > 0);
      CHECK(breakdown.dropped == 0);
      if (step < 3) {
        for (auto phase : {Phase::forward, Phase::backward, Phase::update}) CHECK(breakdown.exposed_in(phase) > 0);
        CHECK(breakdown.busy_in(Phase::reduce) > 0);
      } else {
        CHECK(breakdown.exposed_in(Phase::captured) == breakdown.total);
      }
    }
    for (auto stage : fake_cuda::sharded) {
      auto const ranks = train({.stage = stage, .world = 2, .steps = 3, .profiles = true}, order);
      REQUIRE(ranks.breakdowns.size() == 3);
      for (auto const& breakdown : ranks.breakdowns) {
        for (auto phase : {Phase::gather, Phase::reduce}) CHECK(breakdown.busy_in(phase) > 0);
      }
    }
  }
}

TEST_CASE("steps: a profiler without room drops spans, and training goes on as before") {
  auto const seen =
      train({.steps = 3, .waits = false, .accumulation = 8, .profiles = true, .spans = 64}, SimulationOrder::latest);
  CHECK(seen.values == train({.steps = 3, .waits = false, .accumulation = 8}).values);
  std::uint64_t dropped = 0;
  for (auto const& step : seen.breakdowns) dropped += step.dropped;
  CHECK(dropped > 0);
}

TEST_CASE("steps: a profiler knows on which streams operations ran") {
  auto const seen = train({.offload = true, .steps = 2, .profiles = true});
  auto const runs_on = [&](std::string_view operation, std::string_view stream) {
    for (std::size_t i = 0; i < seen.spans.size(); ++i) {
      if (seen.spans[i].operation.name == operation && seen.streams[i] == stream) return true;
    }
    return false;
  };
  CHECK(runs_on("reduce_scatter_add", "communication"));
  CHECK(runs_on("update on host", "update on host"));
  CHECK(runs_on("copy", "sums to host"));
  CHECK(runs_on("copy", "parameters to device"));
  CHECK(runs_on("forward", "compute"));
}

}  // namespace fake_cuda_steps_test
